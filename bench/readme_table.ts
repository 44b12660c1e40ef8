/**
 * Knows how a benchmark's figures get into the README.
 *
 * @module
 */

const README = new URL("../README.md", import.meta.url);

/**
 * Puts a table between the comments `<!-- NAME -->` and `<!-- /NAME -->`; its
 * first row is the head.
 */
export async function writeReadmeTable(
  name: string,
  [head = [], ...rows]: readonly string[][],
): Promise<void> {
  const table = [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
  const text = await Deno.readTextFile(README);
  const mark = new RegExp(`(<!-- ${name} -->)[^]*(<!-- /${name} -->)`);
  await Deno.writeTextFile(README, text.replace(mark, `$1\n\n${table}\n\n$2`));
  const fmt = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", README.pathname],
  });
  await fmt.output();
}

/**
 * The tables of the benchmarks in README and docs, each between two marks.
 *
 * @module
 */

const PAGES = ["README.md", "docs/cost.md", "docs/peers.md"].map((page) =>
  new URL(`../${page}`, import.meta.url)
);

/**
 * Puts a table between the comments `<!-- NAME -->` and `<!-- /NAME -->` of the
 * page that has them; its first row is the head.
 *
 * @throws {Error} If no page has them.
 */
export async function writeReadmeTable(
  name: string,
  [head = [], ...rows]: readonly string[][],
): Promise<void> {
  const table = [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
  const mark = new RegExp(`(<!-- ${name} -->)[^]*(<!-- /${name} -->)`);
  for (const page of PAGES) {
    const text = await Deno.readTextFile(page);
    if (!mark.test(text)) continue;
    // By a function: a `$` in the table stands for itself.
    const changed = text.replace(
      mark,
      (_, from, to) => `${from}\n\n${table}\n\n${to}`,
    );
    await Deno.writeTextFile(page, changed);
    const fmt = new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--quiet", page.pathname],
    });
    await fmt.output();
    return;
  }
  throw new Error(`No page has a place for the table '${name}'`);
}

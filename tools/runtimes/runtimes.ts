// deno-lint-ignore-file no-console
/**
 * Knows the runtimes that the package is for, and how to run a script on each:
 * npm has every version of Node, and Bun.
 *
 * @module
 */

/** What is promised to work, oldest first. */
export const NODES = ["node@20", "node@22", "node@24", "node@26"] as const;
/** Bun's version is exact, as its errors change from one to the next. */
export const BUN = "bun@1.4.5";

/** The project's folder. */
export const ROOT = new URL("../../", import.meta.url);

/** What a command printed, and whether it went well. */
export interface Output {
  readonly success: boolean;
  readonly text: string;
}

/** Runs a program and collects what it prints. */
export async function execute(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Output> {
  const command = new Deno.Command(program, { args: [...args], ...options });
  try {
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { success: false, text: `${program} is not installed` };
  }
}

/** Runs this Deno in the project's folder, and throws what it says of a failure. */
export async function deno(...args: readonly string[]): Promise<void> {
  const output = await execute(Deno.execPath(), args, { cwd: ROOT.pathname });
  if (!output.success) throw new Error(output.text);
}

/** Runs `node` (the installed one), `node@22`, `bun@1.4.5`, ... with arguments. */
export function executeOn(
  runtime: string,
  args: readonly string[],
  cwd?: string,
): Promise<Output> {
  const [program = "", version] = runtime.split("@");
  const command = version === undefined
    ? args
    : ["-y", "--loglevel=error", "-p", runtime, program, ...args];
  return execute(
    version === undefined ? program : "npx",
    command,
    cwd === undefined ? {} : { cwd },
  );
}

/** Prints one check, with what it printed where it went wrong. */
export function report(name: string, { success, text }: Output): boolean {
  console.log(`${success ? "ok    " : "FAILED"} ${name}`);
  if (!success || Deno.env.has("DEBUG")) console.log(text.trimEnd());
  return success;
}

/** The paths of all files below a folder, relative to it, in order. */
export async function filesBelow(folder: string | URL): Promise<string[]> {
  const paths: string[] = [];
  const below = async (path: string): Promise<void> => {
    const url = new URL(`${path}`, base);
    for await (const { name, isDirectory } of Deno.readDir(url)) {
      if (name === "node_modules" || name.startsWith(".")) continue;
      if (isDirectory) await below(`${path}${name}/`);
      else paths.push(`${path}${name}`);
    }
  };
  const base = typeof folder === "string"
    ? new URL(`file://${folder}/`)
    : folder;
  await below("./");
  return paths.map((path) => path.slice(2)).sort();
}

/** A new folder, which is removed when `body` is done. */
export async function inTemporaryFolder<T>(
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "jarkdown-retry-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

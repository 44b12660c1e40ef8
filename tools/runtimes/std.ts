// deno-lint-ignore-file no-console
/**
 * Runs `deno SUBCOMMAND ARGUMENTS...` with `@std` from JSR where JSR can be
 * reached or its packages are cached, and else with the same code from npm.
 *
 *     deno run -A tools/runtimes/std.ts test -A retry_test.ts
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };

const imports: Record<string, string> = config.imports;
const packages = Object.keys(imports).filter((name) =>
  name.startsWith("@std/")
);
const root = new URL("../../", import.meta.url);

/** The substitute: a folder of its own that git ignores. */
const substitute = new URL(".std/", root);
const NPM_PACKAGE = "npm:deno-std@1.3.1";
/** What the project imports from `@std`, and where the npm package has it. */
const MODULES: Record<string, string> = {
  "@std/assert": "assert/mod.js",
  "@std/async/pool": "async/pool.js",
  "@std/testing/mock": "testing/mock.js",
  "@std/testing/time": "testing/time.js",
};

async function deno(cwd: URL, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    stdout: "null",
    stderr: "null",
  });
  return (await command.output()).success;
}

function jsrIsCached(): Promise<boolean> {
  const modules = Object.keys(MODULES).map((name) =>
    name.replace(/^@std\/\w+/, (own) => imports[own]!)
  );
  return deno(root, "cache", "--cached-only", ...modules);
}

async function jsrAnswers(): Promise<boolean> {
  const registry = Deno.env.get("JSR_URL") ?? "https://jsr.io/";
  try {
    const response = await fetch(
      new URL(`${packages[0]}/meta.json`, registry),
      {
        signal: AbortSignal.timeout(3000),
      },
    );
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    if (Deno.env.has("DEBUG")) console.error(error);
    return false;
  }
}

async function exists(url: URL): Promise<boolean> {
  return await Deno.lstat(url).then(() => true, () => false);
}

/** Makes the substitute, if it is not there yet, and returns its import map. */
async function substituteMap(): Promise<string> {
  const map = new URL("import_map.json", substitute);
  const source = new URL("deno.json", substitute);
  const setting = JSON.stringify({
    nodeModulesDir: "auto",
    lock: false,
    imports: { "deno-std": NPM_PACKAGE },
  });
  const content = JSON.stringify({
    imports: {
      ...imports,
      ...Object.fromEntries(
        Object.keys(MODULES).map((name) => [name, `./${flat(name)}.ts`]),
      ),
    },
  });
  if (await exists(map) && await Deno.readTextFile(map) === content) {
    return map.pathname;
  }
  await Deno.mkdir(substitute, { recursive: true });
  await Deno.writeTextFile(source, setting);
  if (!await deno(substitute, "install")) {
    throw new Error(
      "Cannot get the @std packages: neither JSR nor the npm registry can be reached. Connect once, or set JSR_URL or NPM_CONFIG_REGISTRY to a mirror.",
    );
  }
  const library = new URL("node_modules/deno-std/", substitute);
  // testing/time.js asks for a folder by the name that it has elsewhere.
  const renamed = new URL("data-structures", library);
  if (!await exists(renamed)) {
    await Deno.symlink(new URL("data_structures", library), renamed, {
      type: "dir",
    });
  }
  for (const [name, path] of Object.entries(MODULES)) await declare(name, path);
  await Deno.writeTextFile(map, content);
  return map.pathname;
}

function flat(name: string): string {
  return name.replaceAll(/\W+/g, "_");
}

/** The npm package has no types: here everything that it exports is `any`. */
async function declare(name: string, path: string): Promise<void> {
  const target = `./node_modules/deno-std/${path}`;
  const exports = Object.keys(await import(new URL(target, substitute).href));
  const types = exports.map((name) =>
    `export const ${name}: any;\nexport type ${name} = any;\n`
  );
  const file = new URL(`${flat(name)}.d.ts`, substitute);
  await Deno.writeTextFile(file, types.join(""));
  await Deno.writeTextFile(
    new URL(`${flat(name)}.ts`, substitute),
    `// @ts-types="./${flat(name)}.d.ts"\nexport * from "${target}";\n`,
  );
}

const [subcommand, ...given] = Deno.args;
if (subcommand === undefined) {
  console.error(
    "Usage: deno run -A tools/runtimes/std.ts SUBCOMMAND ARGUMENTS...",
  );
  Deno.exit(2);
}
// `deno task test -- --filter x` hands the two dashes on.
const separator = given.indexOf("--");
const rest = given.filter((_, index) => index !== separator);
let option: string[] = [];
if (!await jsrIsCached() && !await jsrAnswers()) {
  try {
    option = [`--import-map=${await substituteMap()}`];
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
// Ctrl-C reaches the command as well, which then has the last word.
Deno.addSignalListener("SIGINT", () => {});
const command = new Deno.Command(Deno.execPath(), {
  args: [subcommand, ...option, ...rest],
});
Deno.exit((await command.spawn().status).code);

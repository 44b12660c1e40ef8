/**
 * Runs the tests, as they are, on runtimes that are not Deno: on those named,
 * or on all that the package is for.
 *
 *     deno run -A tools/runtimes/test_elsewhere.ts node node@22
 *
 * Bundles all of them with what they import into one module, which begins with
 * a stand-in for `Deno.test`.
 *
 * @module
 */

import {
  BUN,
  deno,
  executeOn,
  filesBelow,
  inTemporaryFolder,
  NODES,
  report,
  ROOT,
} from "./runtimes.ts";

/** The test files. */
async function testFiles(): Promise<string[]> {
  const files = await filesBelow(ROOT);
  return files.filter((name) => name.endsWith("_test.ts"));
}

async function bundle(folder: string): Promise<string> {
  const entry = `${folder}/tests.ts`;
  const registry = new URL("tools/runtimes/test_registry.ts", ROOT);
  const lines = [
    `import { runTests } from "${registry}";`,
    ...(await testFiles()).map((name) => `import "${new URL(name, ROOT)}";`),
    "await runTests();",
  ];
  await Deno.writeTextFile(entry, lines.join("\n"));
  const output = `${folder}/tests.mjs`;
  await deno(
    ...["run", "-A", "tools/runtimes/std.ts"],
    ...["bundle", "--quiet", "--output", output, entry],
  );
  return output;
}

const good = await inTemporaryFolder(async (folder) => {
  const tests = await bundle(folder);
  const results: boolean[] = [];
  const runtimes = Deno.args.length > 0 ? Deno.args : [...NODES, BUN];
  for (const runtime of runtimes) {
    const output = await executeOn(runtime, [tests]);
    const [version] = (await executeOn(runtime, ["--version"])).text.split(
      "\n",
    );
    const summary = /\d+ passed, \d+ failed/.exec(output.text)?.[0];
    results.push(
      report(`tests on ${runtime} (${version}): ${summary}`, output),
    );
  }
  return results.every(Boolean);
});
if (!good) Deno.exit(1);

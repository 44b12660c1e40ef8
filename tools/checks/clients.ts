/**
 * Tries 25 clients of other people, from npm, against servers that let them
 * down: on Deno, or on the runtimes that are named.
 *
 *     deno run -A tools/checks/clients.ts deno node@24 bun@1.4.5
 *
 * @module
 */

import { execute, executeOn, report, ROOT } from "../runtimes/runtimes.ts";
import manifest from "./clients/package.json" with { type: "json" };

const folder = new URL("tools/checks/clients/", ROOT).pathname;

/** The packages, each as it is pinned; nothing of theirs is run to install it. */
const installed = await execute("npm", [
  ...["install", "--ignore-scripts", "--no-package-lock"],
  ...["--no-audit", "--no-fund", "--loglevel=error"],
], { cwd: folder });
/** What comes with another one, or twice. */
const ASIDE = ["@ai-sdk/openai", "node-fetch-2"];
const page = await Deno.readTextFile(new URL("docs/clients.md", ROOT));
const missing = Object.keys(manifest.dependencies).filter((name) =>
  !ASIDE.includes(name) && !page.includes(`\`${name}\``)
);
const results = [
  report("docs/clients.md has them all", {
    success: missing.length === 0,
    text: missing.join("\n"),
  }),
  report("npm install", installed),
];
const runtimes = Deno.args.length > 0 ? Deno.args : ["deno"];
for (const runtime of installed.success ? runtimes : []) {
  const output = runtime === "deno"
    ? await execute(Deno.execPath(), [
      ...["run", "-A", "--no-lock", "main.ts"],
    ], { cwd: folder })
    : await executeOn(runtime, ["main.ts"], folder);
  const summary = /\d+ clients: \d+ passed, \d+ failed/.exec(output.text)?.[0];
  results.push(report(`clients on ${runtime}: ${summary}`, output));
}
if (!results.every(Boolean)) Deno.exit(1);

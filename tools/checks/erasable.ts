/**
 * Loads the source as it is on a Node that takes the types out by itself.
 *
 *     deno run -A tools/checks/erasable.ts
 *
 * @module
 */

import { executeOn, report, ROOT } from "../runtimes/runtimes.ts";

const program = `import("${new URL("mod.ts", ROOT)}").then(
  async ({ retryWithBackoff }) => {
    if (await retryWithBackoff(() => 1) !== 1) process.exit(1);
  },
)`;
const output = await executeOn("node@24", ["--eval", program]);
if (!report("mod.ts on node@24, types stripped", output)) Deno.exit(1);

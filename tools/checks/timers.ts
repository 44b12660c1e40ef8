/**
 * Runs a retry and a limiter on the fake clocks that users have.
 *
 *     deno run -A tools/checks/timers.ts
 *
 * @module
 */

import { inProject } from "../runtimes/project.ts";
import {
  BUN,
  execute,
  executeOn,
  NODES,
  report,
} from "../runtimes/runtimes.ts";

const PACKAGES = [
  "@jest/globals@30.5.2",
  "@sinonjs/fake-timers@15.5.0",
  "jest@30.5.2",
  "vitest@4.1.12",
];

await inProject("timers", PACKAGES, async ({ cwd }) => {
  const sinon = await executeOn("node", ["--test", "sinon.test.mjs"], cwd);
  const vitest = await execute("npx", ["vitest", "run", "vitest.test.mjs"], {
    cwd,
  });
  const jest = await execute("npx", [
    ...["jest", "--testMatch", "**/jest.test.mjs"],
  ], { cwd, env: { NODE_OPTIONS: "--experimental-vm-modules" } });
  const bun = await executeOn(BUN, ["test", "bun.test.mjs"], cwd);
  const results = [
    report("@sinonjs/fake-timers", sinon),
    report("Vitest", vitest),
    report("Jest", jest),
    report(`the fake timers of ${BUN}`, bun),
  ];
  for (const node of NODES) {
    const output = await executeOn(node, ["--test", "node.test.mjs"], cwd);
    results.push(report(`mock timers of node:test, ${node}`, output));
  }
  return results;
});

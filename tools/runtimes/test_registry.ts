/**
 * Stands in for `Deno.test` where there is no Deno: collects the tests, and
 * runs them one after the other.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";

type Test = { name: string; body: () => unknown };

const tests: Test[] = [];

class NotFound extends Error {}

Object.assign(globalThis, {
  Deno: {
    test: (name: string, body: () => unknown) => tests.push({ name, body }),
    readTextFile: (file: URL) =>
      readFile(file, "utf8").catch((cause) => {
        throw new NotFound(String(file), { cause });
      }),
    errors: { NotFound },
  },
});

/**
 * Runs every test, or with BAIL set those up to the first failure; the exit code
 * tells whether all passed.
 */
export async function runTests(): Promise<void> {
  const failures: string[] = [];
  const fail = (name: string, error: unknown) =>
    failures.push(`${name}\n${error instanceof Error ? error.stack : error}`);
  process.on("unhandledRejection", (error) => fail("unhandled", error));
  for (const { name, body } of tests) {
    try {
      await body();
    } catch (error) {
      fail(name, error);
      if (process.env.BAIL) break;
    }
  }
  const passed = tests.length - failures.length;
  const lines = [...failures, `${passed} passed, ${failures.length} failed`];
  process.stdout.write(lines.join("\n\n") + "\n");
  process.exitCode = failures.length > 0 || tests.length === 0 ? 1 : 0;
}

// deno-lint-ignore-file no-console
/**
 * Changes the source in every small way that StrykerJS knows, one at a time,
 * and sees whether the tests notice.
 *
 *     deno task mutants                 # everything, about 25 minutes
 *     deno task mutants backoff.ts
 *
 * Prints the mutants that survived, and what part was killed; ends with an error
 * where that is less than 90 % of a file.
 *
 * @module
 */

import {
  execute,
  filesBelow,
  inTemporaryFolder,
  ROOT,
} from "../runtimes/runtimes.ts";

/**
 * Which tests are asked, the ones that notice most first. Those of limiter/ and
 * queue/ play whole jobs: a thousand times over would take hours.
 */
const TESTS: Record<string, readonly string[]> = {
  "backoff.ts": ["backoff", "config"],
  "arguments/check.ts": ["config", "retry/options"],
  "config.ts": ["config", "retry/options"],
  "time/deadline.ts": ["time/deadline", "retry"],
  "http/body.ts": ["http/body"],
  "http/dialects.ts": ["http/dialects", "retry_after"],
  "http/failure.ts": ["http/failure", "retry"],
  "http/network.ts": ["http/failure"],
  "fetch.ts": ["fetch"],
  "fetch/call.ts": ["fetch/call", "fetch"],
  "fetch/origins.ts": ["fetch/origins"],
  "fetch/unsent.ts": ["fetch/unsent"],
  "http/headers.ts": ["http/headers", "retry_after"],
  "http_error.ts": ["http_error"],
  "retry/attempt.ts": ["retry/attempt"],
  "retry/options.ts": ["retry/options", "rate_limiter"],
  "rate_limiter.ts": ["rate_limiter"],
  "retry.ts": [
    ...["retry", "retry/hooks", "retry/options", "retry/attempt"],
    ...["retry_budget", "rate_limiter"],
  ],
  "retry_after.ts": ["retry_after"],
  "retry_budget.ts": ["retry_budget"],
  "time/sleep.ts": ["time/sleep", "retry"],
};

const LEAST = 90;

interface Mutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: { line: number; column: number } };
}

async function mutate(file: string): Promise<readonly Mutant[]> {
  return await inTemporaryFolder(async (cwd) => {
    for (const path of await filesBelow(ROOT)) {
      if (!path.endsWith(".ts") || path.startsWith("bench/")) continue;
      const folder = path.slice(0, path.lastIndexOf("/") + 1);
      await Deno.mkdir(`${cwd}/${folder}`, { recursive: true });
      await Deno.copyFile(new URL(path, ROOT), `${cwd}/${path}`);
    }
    await Deno.copyFile(new URL("deno.json", ROOT), `${cwd}/deno.json`);
    await Deno.writeTextFile(
      `${cwd}/entry.ts`,
      [
        `import { runTests } from "./tools/runtimes/test_registry.ts";`,
        ...TESTS[file]!.map((name) => `import "./${name}_test.ts";`),
        "await runTests();",
      ].join("\n"),
    );
    const std = new URL("tools/runtimes/std.ts", ROOT).pathname;
    const bundle =
      `${Deno.execPath()} run -A ${std} bundle --quiet --output tests.mjs entry.ts`;
    const settings = {
      testRunner: "command",
      mutate: [file],
      buildCommand: bundle,
      commandRunner: { command: "node tests.mjs" },
      reporters: ["json"],
      jsonReporter: { fileName: "report.json" },
      timeoutMS: 10_000,
    };
    const config = `${cwd}/stryker.config.json`;
    await Deno.writeTextFile(config, JSON.stringify(settings));
    const output = await execute("npx", [
      ...["-y", "--loglevel=error", "-p", "@stryker-mutator/core@9.6.1"],
      ...["stryker", "run", config],
    ], { cwd, env: { BAIL: "1" } });
    if (!output.success) throw new Error(output.text);
    const report = JSON.parse(await Deno.readTextFile(`${cwd}/report.json`));
    return report.files[file].mutants;
  });
}

/** Reports a file; whether enough of its mutants were killed. */
function judge(file: string, mutants: readonly Mutant[]): boolean {
  const survivors = mutants.filter(({ status }) => status === "Survived");
  for (const { location, mutatorName, replacement } of survivors) {
    const { line, column } = location.start;
    const shown = replacement.replaceAll(/\s+/g, " ").slice(0, 70);
    console.log(`  ${file}:${line}:${column} ${mutatorName}: ${shown}`);
  }
  const killed = mutants.length - survivors.length;
  const part = 100 * killed / mutants.length;
  console.log(
    `${file}: ${killed} of ${mutants.length} killed, ${part.toFixed(1)} %`,
  );
  return part >= LEAST;
}

const files = Deno.args.length > 0 ? Deno.args : Object.keys(TESTS);
const results: boolean[] = [];
for (const file of files) results.push(judge(file, await mutate(file)));
if (!results.every(Boolean)) Deno.exit(1);

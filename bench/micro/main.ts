// deno-lint-ignore-file no-console
/**
 * What a call costs, to a loop written by hand, on Deno, Node and Bun, beside
 * the peers; and what the module weighs.
 *
 *     deno task bench                        # everything, about 6 minutes
 *     deno task bench --only heap --on Deno  # figures whose name has "heap"
 *
 * Prints the figures, each as `Node / Deno / Bun`, and writes the tables of
 * `docs/cost.md` for a run of everything. The ratios are medians of rounds in
 * which all take turns, in one process.
 *
 * @module
 */

import { parseArgs } from "node:util";
import {
  BUN,
  deno,
  execute,
  executeOn,
  inTemporaryFolder,
} from "../../tools/runtimes/runtimes.ts";
import { writeReadmeTable } from "../readme_table.ts";

const NODE = "node@24";
const RUNTIMES: Record<string, string> = {
  "Node 24": NODE,
  "Deno": "deno",
  "Bun": BUN,
};

const CONTENDERS = [
  "jarkdown",
  "@std/async",
  "p-retry",
  "cockatiel",
  "@lifeomic/attempt",
];
const SIGNALLED = CONTENDERS.slice(0, -1);
/** Those that end on an abort while they wait; the others would sleep on. */
const ABORTABLE = ["jarkdown", "p-retry"];

type Figures = Record<string, number>;
type Measure = (figure: string, name?: string) => Promise<Figures>;

/** A row of the table: its title, and how each contender's figure is had. */
interface Row {
  readonly title: string;
  take(measure: Measure): Promise<Figures>;
}

/** A row of ratios, which one process takes of all contenders. */
function ratios(figure: string): Row {
  return { title: figure, take: (measure) => measure(figure) };
}

/** A row of bytes, to the loop's: each contender's in a process of its own. */
function heap(figure: string, names: readonly string[]): Row {
  const take = async (measure: Measure) => {
    const loop = (await measure(figure, "loop")).loop!;
    const figures: Figures = {};
    for (const name of names) {
      figures[name] = (await measure(figure, name))[name]! / loop;
    }
    return figures;
  };
  return { title: figure, take };
}

/** A row of milliseconds: until all wait, or until all are aborted. */
function waiters(
  calls: string,
  step: "started" | "aborted",
  names: readonly string[],
): Row {
  const figure = `${calls} waiters on one signal`;
  const take = async (measure: Measure) => {
    const figures: Figures = {};
    for (const name of names) {
      figures[name] = (await measure(figure, name))[step]!;
    }
    return figures;
  };
  return { title: `${figure}: ${step}, ms`, take };
}

const ROWS: readonly Row[] = [
  ratios("success, one after the other"),
  {
    title: "the same with plain options",
    take: async (measure) => ({
      jarkdown: (await measure("success, one after the other"))[
        "jarkdown, plain options"
      ]!,
    }),
  },
  ratios("success, with a signal"),
  ratios("success, 10,000 at once"),
  ratios("one failure, no delay"),
  ratios("one failure, 10,000 at once"),
  heap("heap per waiting call", CONTENDERS),
  heap("heap per waiting call, with a signal", SIGNALLED),
  waiters("10,000", "started", ABORTABLE),
  waiters("10,000", "aborted", ABORTABLE),
  waiters("100,000", "started", ["jarkdown"]),
  waiters("100,000", "aborted", ["jarkdown"]),
  {
    title: "left of a finished call: bytes",
    take: async (measure) => ({
      jarkdown: (await measure("left of a finished call")).bytes!,
    }),
  },
  {
    title: "left of a finished call: listeners",
    take: async (measure) => ({
      jarkdown: (await measure("left of a finished call")).listeners!,
    }),
  },
  ratios("parsing an IMF-fixdate"),
  ratios("parsing seconds"),
];

/** What is asked for, as a user would import it. */
const SIZES: Record<string, string> = {
  "retryWithBackoff": `export { retryWithBackoff } from "../mod.ts";`,
  "parseRetryAfter": `export { parseRetryAfter } from "../mod.ts";`,
  "createFetch, with the limiter": `export { createFetch } from "../mod.ts";`,
  "everything": `export * from "../mod.ts";`,
  "@std/async": `export { retry } from "@std/async/retry";`,
  "p-retry": `export { default } from "p-retry";`,
  "cockatiel": `export { retry, handleAll } from "cockatiel";`,
  "ky": `export { default } from "ky";`,
};

const bench = new URL("../", import.meta.url).pathname;

function bundle(
  input: string,
  output: string,
  ...flags: string[]
): Promise<void> {
  return deno(
    ...["bundle", "--quiet", "--config", `${bench}deno.json`],
    ...["--output", output, ...flags, input],
  );
}

/** Bytes, minified and compressed. */
async function size(folder: string, source: string): Promise<number> {
  // Beside the others, so that the imports of bench/deno.json hold.
  const input = await Deno.makeTempFile({ dir: bench, suffix: ".ts" });
  const output = `${folder}/size.js`;
  try {
    await Deno.writeTextFile(input, source);
    await bundle(input, output, "--minify", "--platform=browser");
  } finally {
    await Deno.remove(input);
  }
  const code = new Blob([await Deno.readFile(output)]).stream();
  const packed = code.pipeThrough(new CompressionStream("gzip"));
  return (await new Response(packed).arrayBuffer()).byteLength;
}

function measureOn(runtime: string, script: string): Measure {
  const cache = new Map<string, Promise<Figures>>();
  const measure = async (figure: string, name: string) => {
    const args = [script, figure, name];
    const output = runtime === "deno"
      ? await execute(Deno.execPath(), [
        ...["run", "-A", "--v8-flags=--expose-gc", ...args],
      ])
      : await executeOn(
        runtime,
        runtime === BUN ? args : ["--expose-gc", ...args],
      );
    if (!output.success) throw new Error(`${runtime}: ${output.text}`);
    return JSON.parse(output.text.trim().split("\n").at(-1)!);
  };
  return (figure, name = "") => {
    const key = `${figure}: ${name}`;
    if (!cache.has(key)) cache.set(key, measure(figure, name));
    return cache.get(key)!;
  };
}

function shown(figure: number | undefined): string {
  if (figure === undefined || Number.isNaN(figure)) return "–";
  return figure >= 100 ? figure.toFixed(0) : figure.toFixed(2);
}

const { values } = parseArgs({
  args: Deno.args,
  options: { only: { type: "string" }, on: { type: "string" } },
});
const rows = ROWS.filter(({ title }) => title.includes(values.only ?? ""));
const runtimes = Object.keys(RUNTIMES).filter((name) =>
  name.includes(values.on ?? "")
);

await inTemporaryFolder(async (folder) => {
  const script = `${folder}/measure.mjs`;
  await bundle(`${bench}micro/measure.ts`, script);
  const measures = runtimes.map((runtime) =>
    measureOn(RUNTIMES[runtime]!, script)
  );
  const columns = [...CONTENDERS, "undici"];
  const table = [[runtimes.join(" / "), ...columns]];
  console.log(table[0]!.join(" | "));
  for (const { title, take } of rows) {
    const figures: Figures[] = [];
    for (const measure of measures) figures.push(await take(measure));
    const cells = columns.map((name) =>
      figures.every((figure) => figure[name] === undefined)
        ? ""
        : figures.map((figure) => shown(figure[name])).join(" / ")
    );
    table.push([title, ...cells]);
    console.log([title, ...cells].join(" | "));
  }
  const sizes = [["minified and compressed", "bytes"]];
  for (const [name, source] of Object.entries(SIZES)) {
    sizes.push([name, `${await size(folder, source)}`]);
    console.log(sizes.at(-1)!.join(" | "));
  }
  if (values.only !== undefined || values.on !== undefined) return;
  await writeReadmeTable("bench:micro", table);
  await writeReadmeTable("bench:size", sizes);
});

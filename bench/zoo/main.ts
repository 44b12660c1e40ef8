// deno-lint-ignore-file no-console
/**
 * Plays the client on servers that are drawn from seeds, on a virtual clock.
 *
 *     deno task zoo                           # seeds 1..300
 *     deno task zoo --seeds 1000..1099 --family haproxy --client oracle
 *     deno task zoo --seed 17 --trace
 *     deno task zoo --json a.json             # and later
 *     deno task zoo --compare a.json b.json
 *     node bench/zoo/main.ts --jobs 2         # Node 24, for its profiler
 *
 * `ratio` is the makespan to the best possible one, lost items charged with the
 * time that they would have taken; `waste` the share of the requests that the
 * limit refused; `early` the requests sent before the `Retry-After` of a
 * refusal was over that the client had seen; `fine` the share of servers done
 * with nothing lost, at a ratio <= 1.2 and a waste <= 5 %.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { CLIENTS, type Way, WAYS } from "./clients.ts";
import { printComparison } from "./compare.ts";
import { draw, drawFamily } from "./draw.ts";
import { play, type PlayOptions, type Step } from "./play.ts";
import { ratioOf, type Result, resultOf } from "./results.ts";
import { lineOf, printTables, printWorst, quantile } from "./tables.ts";

/**
 * What the gate lets pass: the goals, or what has been reached, so that nothing
 * gets worse unnoticed. `lost` and `early` are parts of all requests; what is
 * early came before the `Retry-After` of a 503, which may be a fault of its own.
 */
const GATES = {
  goals: { median: 1.05, p90: 1.4, lost: 0, early: 0 },
  reached: { median: 1.15, p90: 2, lost: 0.001, early: 0.05 },
};

interface Share {
  seeds: number[];
  options: PlayOptions;
}

if (isMainThread) await main();
else {await playShare(workerData as Share, (result) =>
    parentPort!.postMessage(result));}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      family: { type: "string" },
      client: { type: "string", default: "product" },
      way: { type: "string" },
      jobs: { type: "string", default: "1" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      told: { type: "boolean", default: false },
      gate: { type: "string" },
      compare: { type: "boolean", default: false },
    },
  });
  if (values.compare) {
    const [before, after] = positionals.map(readResults);
    if (!before || !after) throw new Error("--compare A.json B.json");
    return printComparison(before, after);
  }
  const { client } = values;
  if (!(client in CLIENTS)) {
    throw new Error(`No client ${client}: ${Object.keys(CLIENTS).join(", ")}`);
  }
  const way = values.way as Way | undefined;
  if (way && !WAYS.includes(way)) {
    throw new Error(`No way ${way}: ${WAYS.join(", ")}`);
  }
  const options: PlayOptions = { client, way, told: values.told };
  if (values.seed) {
    return await playOne(Number(values.seed), options, values.trace);
  }

  const range = values.seeds ?? (values.quick ? "1..60" : "1..300");
  const [from, to = from] = range.split("..").map(Number);
  const seeds: number[] = [];
  for (let seed = from!; seed <= to!; seed++) {
    if (!values.family || drawFamily(seed) === values.family) seeds.push(seed);
  }
  if (seeds.length === 0) throw new Error("No such seeds");
  const started = performance.now();
  const results = await playAll(seeds, options, Number(values.jobs));
  const seconds = (performance.now() - started) / 1000;
  if (values.json) writeFileSync(values.json, JSON.stringify(results));
  console.log(
    `${client}, seeds ${range}${values.family ? `, ${values.family}` : ""}: ${
      seconds.toFixed(0)
    } s`,
  );
  printTables(results);
  printWorst(results);
  if (values.gate !== undefined) {
    const gate = GATES[values.gate as keyof typeof GATES];
    if (!gate) throw new RangeError("--gate is goals or reached");
    if (!passesGate(results, gate)) process.exit(1);
  }
}

/** Splits the seeds over threads, each with globals of its own. */
async function playAll(
  seeds: number[],
  options: PlayOptions,
  jobs: number,
): Promise<Result[]> {
  const results: Result[] = [];
  const add = (result: Result) => void results.push(result);
  if (jobs === 1) await playShare({ seeds, options }, add);
  else {
    await Promise.all(
      Array.from(
        { length: jobs },
        (_, job) =>
          new Promise<void>((resolve, reject) => {
            const share = seeds.filter((_, i) => i % jobs === job);
            const worker = new Worker(new URL(import.meta.url), {
              workerData: { seeds: share, options } satisfies Share,
            });
            worker.on("message", add);
            worker.on("error", reject);
            worker.on("exit", () => resolve());
          }),
      ),
    );
  }
  return results.sort((a, b) => a.seed - b.seed);
}

async function playShare(
  { seeds, options }: Share,
  add: (result: Result) => void,
): Promise<void> {
  for (const seed of seeds) {
    const scene = draw(seed);
    add(resultOf(scene, await play(scene, options)));
  }
}

async function playOne(
  seed: number,
  options: PlayOptions,
  trace: boolean,
): Promise<void> {
  const scene = draw(seed);
  const onStep = (step: Step) => console.log(stepLine(step));
  const outcome = await play(scene, trace ? { ...options, onStep } : options);
  console.log(lineOf(resultOf(scene, outcome)));
}

function stepLine(step: Step): string {
  const { at, sent, accepted, refused, waiting, underWay, state } = step;
  const number = (value: number) => String(value).padStart(5);
  return `${at.toFixed(2).padStart(7)} s: sent${number(sent)}, accepted${
    number(accepted)
  }, refused${number(refused)}, waiting${number(waiting)}, under way${
    number(underWay)
  }${state === undefined ? "" : ` ${JSON.stringify(state, shortly)}`}`;
}

function shortly(_key: string, value: unknown): unknown {
  return typeof value === "number" && Number.isFinite(value)
    ? Number(value.toPrecision(5))
    : value === Infinity
    ? "Infinity"
    : value;
}

function readResults(file: string): Result[] {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Whether nothing was stuck, early or lost, and all of it near the limit. */
function passesGate(
  results: Result[],
  gate: typeof GATES[keyof typeof GATES],
): boolean {
  const ratios = results.map(ratioOf);
  const share = (count: (result: Result) => number) =>
    results.reduce((sum, result) => sum + count(result), 0) /
    results.reduce((sum, { sent }) => sum + sent, 0);
  const unlike503 = ({ early, status }: Result) => early > 0 && status !== 503;
  const faults = [
    ...results.filter((result) => result.stuck || unlike503(result))
      .map(lineOf),
    ...share(({ lost, excused }) => excused ? 0 : lost) > gate.lost
      ? ["Too much is lost"]
      : [],
    ...share(({ early }) => early) > gate.early ? ["Too much is early"] : [],
    ...quantile(ratios, 0.5) > gate.median ? ["The median is too high"] : [],
    ...quantile(ratios, 0.9) > gate.p90 ? ["p90 is too high"] : [],
  ];
  if (faults.length) console.error(`\nNot passed:\n${faults.join("\n")}`);
  return faults.length === 0;
}

/**
 * A zoo of random servers: how close a job under one limiter comes to the best
 * possible, on a virtual clock. `--help` lists the options.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { draw, FAMILIES, type Family, Random } from "./draw.ts";
import { type Client, play } from "./play.ts";
import {
  comparison,
  complaints,
  describe,
  momentLine,
  report,
  type Row,
  rowOf,
} from "./tables.ts";

const HELP = `deno task zoo [options]
  --seeds 1..300       which servers
  --family "leaky"     only this family: ${Object.keys(FAMILIES).join(", ")}
  --seed 17 --trace    one server, with some 60 lines over the run
  --client product     product, plain (without limiter) or oracle (is told all)
  --way parsed         returned or parsed, of every job
  --jobs 2             threads
  --json FILE          writes the figures of each server
  --compare A.json B.json
  --gate               fails if anything is stuck, early, lost or too slow`;

/** What each thread plays. */
interface Work {
  readonly seeds: readonly number[];
  readonly client: Client;
  readonly family: Family | undefined;
  readonly way: "returned" | "parsed" | undefined;
}

async function playAll({ seeds, client, ...want }: Work): Promise<Row[]> {
  const rows: Row[] = [];
  for (const seed of seeds) {
    const server = draw(seed, given(want));
    rows.push(rowOf(server, await play(server, client)));
  }
  return rows;
}

function given({ family, way }: Pick<Work, "family" | "way">) {
  return { ...(family ? { family } : {}), ...(way ? { way } : {}) };
}

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== "--"),
    allowPositionals: true,
    options: {
      seeds: { type: "string", default: "1..300" },
      seed: { type: "string" },
      family: { type: "string" },
      client: { type: "string", default: "product" },
      way: { type: "string" },
      jobs: { type: "string", default: "1" },
      json: { type: "string" },
      compare: { type: "string" },
      trace: { type: "boolean" },
      gate: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (options.help) return console.log(HELP);
  if (options.compare !== undefined) {
    return compareFiles(options.compare, positionals[0]);
  }
  const [from, to] = (options.seed ?? options.seeds).split("..").map(Number);
  const work: Work = {
    seeds: range(from!, to ?? from!),
    client: oneOf("client", options.client, ["product", "plain", "oracle"])!,
    family: oneOf(
      "family",
      options.family,
      Object.keys(FAMILIES) as Family[],
    ),
    way: oneOf("way", options.way, ["returned", "parsed"]),
  };
  if (options.trace) return trace(work);
  const rows = await playInThreads(work, Number(options.jobs));
  console.log(report(rows));
  if (options.json !== undefined) {
    writeFileSync(options.json, JSON.stringify(rows, finiteOnly, 1) + "\n");
  }
  if (options.gate) {
    const wrong = complaints(rows);
    for (const line of wrong) console.error(`not fine: ${line}`);
    if (wrong.length > 0) process.exitCode = 1;
  }
}

async function trace({ seeds, client, ...want }: Work): Promise<void> {
  for (const seed of seeds) {
    const server = draw(seed, given(want));
    console.log(describe(server));
    const every = server.best / 30;
    let lines = 0;
    const result = await play(server, client, {
      every,
      look: (moment) => {
        // After twice the best time, fewer and fewer.
        lines++;
        const step = lines < 60 ? 1 : 30;
        if (lines % step === 0) console.log(momentLine(moment));
      },
    });
    console.log(result);
  }
}

async function playInThreads(work: Work, threads: number): Promise<Row[]> {
  if (threads <= 1) return await playAll(work);
  const parts = Array.from({ length: threads }, (_, thread) => {
    const seeds = work.seeds.filter((_, place) => place % threads === thread);
    return playInThread({ ...work, seeds });
  });
  const rows = (await Promise.all(parts)).flat();
  return rows.sort((a, b) => a.seed - b.seed);
}

function playInThread(work: Work): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: work,
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

function compareFiles(before: string, after: string | undefined): void {
  if (after === undefined) throw new TypeError("--compare needs two files");
  const random = new Random(1);
  const read = (file: string): Row[] =>
    JSON.parse(
      readFileSync(file, "utf8"),
      (name, value) => name === "ratio" && value === "stuck" ? Infinity : value,
    );
  const pick = (count: number) => Math.floor(random.unit() * count);
  console.log(comparison(read(before), read(after), pick));
}

/** JSON has no infinity. */
function finiteOnly(_: string, value: unknown): unknown {
  return value === Infinity ? "stuck" : value;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, place) => from + place);
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  values: readonly T[],
): T | undefined {
  if (value === undefined || values.includes(value as T)) {
    return value as T | undefined;
  }
  throw new TypeError(
    `--${name} must be one of ${values.join(", ")}: got ${value}`,
  );
}

if (isMainThread) await main();
else parentPort!.postMessage(await playAll(workerData as Work));

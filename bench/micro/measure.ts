// deno-lint-ignore-file no-console
/**
 * Takes one figure on the runtime that runs it, and prints it as JSON:
 * contender by contender.
 *
 *     node --expose-gc measure.mjs "success, one after the other"
 *     node --expose-gc measure.mjs "heap per waiting call" jarkdown
 *
 * @module
 */

import process from "node:process";
import undici from "undici/lib/util/date.js";
import { countListeners } from "../../testing/listeners.ts";
import { parseRetryAfter, RetryConfig, retryWithBackoff } from "../../mod.ts";
import {
  type Contender,
  JARKDOWN,
  JARKDOWN_PLAIN,
  LOOP,
  PEERS,
} from "./contenders.ts";

type Work = () => unknown;
type Figures = Record<string, number>;

const SIGNALLED = [LOOP, JARKDOWN, ...PEERS.filter((peer) => peer.signals)];
const ALL = [LOOP, JARKDOWN, JARKDOWN_PLAIN, ...PEERS];

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** Everybody's time to the first one's: in turn, in random order, the median. */
async function compare(
  works: Record<string, Work>,
  rounds = 25,
): Promise<Figures> {
  const [base, ...others] = Object.keys(works);
  const ratios = Object.fromEntries(
    others.map((name) => [name, [] as number[]]),
  );
  const warmUp = 6;
  for (let round = 0; round < warmUp + rounds; round++) {
    const times: Figures = {};
    const order = Object.keys(works).map((name) => ({
      name,
      at: Math.random(),
    }))
      .sort((a, b) => a.at - b.at);
    for (const { name } of order) {
      const start = performance.now();
      await works[name]!();
      times[name] = performance.now() - start;
    }
    if (round < warmUp) continue;
    for (const name of others) ratios[name]!.push(times[name]! / times[base!]!);
  }
  return Object.fromEntries(
    others.map((name) => [name, median(ratios[name]!)]),
  );
}

/** Each contender's work: calls of a function that is new for each call. */
function works(
  contenders: readonly Contender[],
  times: (call: () => Promise<unknown>) => Work,
  make: () => () => Promise<unknown>,
  signal?: AbortSignal,
): Record<string, Work> {
  return Object.fromEntries(contenders.map((contender) => {
    const run = contender.prepare(0, signal);
    return [contender.name, times(() => run(make()))];
  }));
}

const inSequence =
  (times: number) => (call: () => Promise<unknown>) => async () => {
    for (let time = 0; time < times; time++) await call();
  };

const atOnce = (times: number) => (call: () => Promise<unknown>) => () =>
  Promise.all(Array.from({ length: times }, call));

// deno-lint-ignore require-await
const answer = async () => 1;
const succeed = () => answer;
const failOnce = () => {
  let calls = 0;
  // deno-lint-ignore require-await
  return async () => {
    if (++calls === 1) throw new TypeError("fetch failed");
    return 1;
  };
};

/** Bytes that are in use, after everything that can go has gone. */
async function heap(): Promise<number> {
  // deno-lint-ignore no-explicit-any
  const { gc, Bun } = globalThis as any;
  for (let time = 0; time < 3; time++) {
    Bun ? Bun.gc(true) : gc();
    await new Promise((turn) => setTimeout(turn, 1));
  }
  if (!Bun) return process.memoryUsage().heapUsed;
  const module = "bun:jsc"; // only there
  return (await import(module)).heapStats().heapSize;
}

/** Ten minutes: nobody wakes while something is measured. */
const LONG = 600_000;

const failure = new TypeError("fetch failed");
const fail = () => Promise.reject(failure);

/** Starts calls which fail once and then wait. */
function wait(
  contender: Contender,
  calls: number,
  signal?: AbortSignal,
): Promise<unknown>[] {
  const run = contender.prepare(LONG, signal);
  return Array.from({ length: calls }, () => {
    const call = run(fail);
    call.catch(() => {});
    return call;
  });
}

async function heapPerWaitingCall(
  name: string,
  signal?: AbortSignal,
): Promise<Figures> {
  const contender = ALL.find((contender) => contender.name === name)!;
  const calls = 20_000;
  const kept = wait(contender, 1000, signal);
  const before = await heap();
  kept.push(...wait(contender, calls, signal));
  return { [name]: (await heap() - before) / calls };
}

/** Milliseconds to have calls wait on one signal, and to abort them. */
async function waiters(name: string, calls: number): Promise<Figures> {
  const contender = ALL.find((contender) => contender.name === name)!;
  const controller = new AbortController();
  const start = performance.now();
  const waiting = wait(contender, calls, controller.signal);
  await new Promise((turn) => setTimeout(turn, 0));
  const started = performance.now();
  controller.abort();
  await Promise.allSettled(waiting);
  return {
    started: started - start,
    aborted: performance.now() - started,
  };
}

/** What stays behind of calls that are over: bytes each, and listeners. */
async function leftovers(): Promise<Figures> {
  const calls = 100_000;
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const config = new RetryConfig({ baseDelay: 0 });
  const some = async (count: number) => {
    for (let call = 0; call < count; call++) {
      await retryWithBackoff(failOnce(), { config, signal });
    }
  };
  await some(1000);
  const before = await heap();
  await some(calls);
  const bytes = (await heap() - before) / calls;
  return { bytes, listeners: listeners.added - listeners.removed };
}

const DATES = Array.from(
  { length: 1000 },
  (_, index) => new Date(1.7e12 + index * 7_919_000).toUTCString(),
);
const SECONDS = Array.from({ length: 1000 }, (_, index) => `${index % 300}`);
const now = 1.7e12;

const parse =
  (texts: readonly string[], read: (text: string) => unknown) => () => {
    for (let time = 0; time < 50; time++) texts.forEach(read);
  };

const signal = new AbortController().signal;

/** What each figure is taken of, `name` where that takes a process each. */
const FIGURES: Record<string, (name: string) => Promise<Figures>> = {
  "success, one after the other": () =>
    compare(works(ALL, inSequence(50_000), succeed)),
  "success, with a signal": () =>
    compare(works(SIGNALLED, inSequence(50_000), succeed, signal)),
  "success, 10,000 at once": () => compare(works(ALL, atOnce(10_000), succeed)),
  "one failure, no delay": () =>
    compare(works(ALL, inSequence(300), failOnce), 9),
  "one failure, 10,000 at once": () =>
    compare(works(ALL, atOnce(10_000), failOnce), 9),
  "parsing an IMF-fixdate": () =>
    compare({
      "Date.parse": parse(DATES, Date.parse),
      "jarkdown": parse(DATES, (text) => parseRetryAfter(text, { now })),
      "undici": parse(DATES, (text) => undici.parseHttpDate(text)),
    }),
  "parsing seconds": () =>
    compare({
      "Date.parse": parse(SECONDS, Date.parse),
      "jarkdown": parse(SECONDS, (text) => parseRetryAfter(text)),
    }),
  "heap per waiting call": (name) => heapPerWaitingCall(name),
  "heap per waiting call, with a signal": (name) =>
    heapPerWaitingCall(name, signal),
  "10,000 waiters on one signal": (name) => waiters(name, 10_000),
  "100,000 waiters on one signal": (name) => waiters(name, 100_000),
  "left of a finished call": () => leftovers(),
};

const [figure = "", name = ""] = process.argv.slice(2);
console.log(JSON.stringify(await FIGURES[figure]!(name)));
process.exit(0);

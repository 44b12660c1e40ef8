// deno-lint-ignore-file no-console
/**
 * 200 workers against a server that turns every fault on and off at random,
 * with aborts in between. In the end every call must be accounted for exactly
 * once, the heap must be flat, and no listener, timer, connection or unhandled
 * rejection may be left.
 *
 *     deno task soak --seconds 120
 *
 * @module
 */

import { parseArgs } from "node:util";
import {
  createFetch,
  ensureOk,
  HttpError,
  RateLimiter,
  RateLimitError,
  RetryBudget,
  retryWithBackoff,
} from "../../mod.ts";
import { eventually } from "../../testing/eventually.ts";
import { countListeners, type Listeners } from "../../testing/listeners.ts";
import type { ServerReport } from "../servers/soak_server.ts";

const WORKERS = 200;
const { values } = parseArgs({
  args: Deno.args,
  options: { seconds: { type: "string", default: "120" } },
});
const seconds = Number(values.seconds);

/** Timers that are set and have neither fired nor been cleared. */
const timers = new Set<unknown>();
const { setTimeout, clearTimeout } = globalThis;
Object.assign(globalThis, {
  setTimeout: (
    fn: (...args: unknown[]) => void,
    milliseconds?: number,
    ...args: unknown[]
  ) => {
    const id = setTimeout(() => {
      timers.delete(id);
      fn(...args);
    }, milliseconds);
    timers.add(id);
    return id;
  },
  clearTimeout: (id: Parameters<typeof clearTimeout>[0]) => {
    timers.delete(id);
    clearTimeout(id);
  },
});

let unhandled = 0;
addEventListener("unhandledrejection", (event) => {
  unhandled++;
  event.preventDefault();
  console.log("Unhandled:", event.reason);
});

/** Listeners on the signals that the calls share. */
const listeners: Listeners[] = [];
function sharedController(): AbortController {
  const controller = new AbortController();
  listeners.push(countListeners(controller.signal));
  return controller;
}

const worker = new Worker(
  new URL("../servers/soak_server.ts", import.meta.url),
  {
    type: "module",
  },
);
const message = <T>() =>
  new Promise<T>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
  });
const url = await message<string>();

/** One signal for everybody, one for a tenth at a time that is aborted often. */
const forAll = sharedController().signal;
const groups = Array.from({ length: 10 }, sharedController);
const reason = new Error("stop");
const aborting = setInterval(() => {
  const group = Math.floor(Math.random() * groups.length);
  groups[group]!.abort(reason);
  groups[group] = sharedController();
}, 100);

const limiter = new RateLimiter();
const budget = new RetryBudget();
const config = {
  maxRetries: 4,
  baseDelay: 0.01,
  maxDelay: 0.1,
  maxRetryAfter: 1,
};
const limits = { config, attemptTimeout: 0.3, totalTimeout: 3 };
const limited = createFetch({ ...limits, limiter, signal: forAll });
const plain = createFetch({ ...limits, limiter: "per-origin", budget });

/** The ways to call, each with a call that is one of its kind. */
const WAYS:
  readonly ((path: string, signal: AbortSignal) => Promise<string>)[] = [
    (path, signal) =>
      retryWithBackoff(async (attempt) => {
        const response = await fetch(url + path, { signal: attempt.signal });
        return await ensureOk(response).text();
      }, { ...limits, signal }),
    (path) =>
      retryWithBackoff(async (attempt) => {
        const response = await fetch(url + path, { signal: attempt.signal });
        return await ensureOk(response).text();
      }, { ...limits, signal: forAll, limiter, budget }),
    async (path, signal) =>
      await ensureOk(await limited(url + path, { signal })).text(),
    async (path, signal) =>
      await ensureOk(await plain(url + path, { signal })).text(),
  ];

const outcomes = {
  started: 0,
  answered: 0,
  aborted: 0,
  refused: 0,
  turnedAway: 0,
  broken: 0,
};
const wrong: unknown[] = [];

/** A timeout or a broken connection, and not a mistake of this program. */
function isBroken(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError" ||
    error instanceof TypeError && !error.message.startsWith("Cannot");
}

async function call(id: number): Promise<void> {
  const path = `/${id}`;
  outcomes.started++;
  const way = WAYS[id % WAYS.length]!;
  const { signal } = groups[Math.floor(Math.random() * groups.length)]!;
  try {
    const answer = await way(path, signal);
    if (answer === path) outcomes.answered++;
    else wrong.push(`${path} was answered with ${answer}`);
  } catch (error) {
    if (error === reason) outcomes.aborted++;
    else if (error instanceof HttpError) {
      await error.response.body?.cancel();
      outcomes.refused++;
    } else if (error instanceof RateLimitError) outcomes.turnedAway++;
    else if (isBroken(error)) outcomes.broken++;
    else wrong.push(error);
  }
}

function collectGarbage(): void {
  // deno-lint-ignore no-explicit-any
  (globalThis as any).gc();
}

const heaps: number[] = [];
function sampleHeap(): void {
  collectGarbage();
  heaps.push(Deno.memoryUsage().heapUsed / 2 ** 20);
}
const sampling = setInterval(sampleHeap, 1000 * seconds / 60);

const end = performance.now() + 1000 * seconds;
let calls = 0;
await Promise.all(Array.from({ length: WORKERS }, async () => {
  while (performance.now() < end) await call(calls++);
}));
clearInterval(aborting);
clearInterval(sampling);
sampleHeap();
worker.postMessage("end");
const server = await message<ServerReport>();
const listening = () =>
  listeners.reduce((left, { added, removed }) => left + added - removed, 0);
// A response that was handed over is followed until its body is collected.
await eventually(() => {
  collectGarbage();
  return listening() === 0;
});

const { started, ...ended } = outcomes;
const sum = Object.values(ended).reduce((sum, count) => sum + count);
const mean = (part: number[]) =>
  part.reduce((sum, size) => sum + size) / part.length;
const third = Math.floor(heaps.length / 3);
const early = mean(heaps.slice(third, 2 * third));
const late = mean(heaps.slice(-third));

console.log(
  `${started} calls, ${server.requests} requests: ${JSON.stringify(ended)}`,
);
console.log(
  `Heap: ${early.toFixed(1)} MiB in the middle third, ${
    late.toFixed(1)
  } MiB in the last`,
);
const left = {
  "calls not accounted for": started - sum + wrong.length,
  "heap grown by more than a tenth": Number(late > early * 1.1 + 1),
  "listeners": listening(),
  "timers": timers.size,
  "connections with a request under way": server.busy,
  "unhandled rejections": unhandled,
};
for (const problem of wrong.slice(0, 5)) console.log("Wrong:", problem);
for (const [name, count] of Object.entries(left)) {
  console.log(`${count === 0 ? "ok    " : "FAILED"} ${name}: ${count}`);
}
if (Object.values(left).some((count) => count !== 0)) Deno.exitCode = 1;

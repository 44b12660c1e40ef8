/**
 * A job of many workers on a simulated server, on a fake clock: when they sent,
 * who was refused, and what was lost.
 *
 * @module
 */

import { setImmediate as immediate } from "node:timers";
import type { FakeTime } from "@std/testing/time";
import type { RateLimiter } from "../rate_limiter.ts";
import { type Attempt, type RetryOptions, retryWithBackoff } from "../retry.ts";
import { NOON } from "./play.ts";
import type { Limit } from "./simulate.ts";

/** Everything that promises still have to do is done after this. */
export function settle(): Promise<void> {
  return new Promise((resolve) => void immediate(resolve));
}

/** Timers that may be set within one millisecond. */
const MOST_TIMERS = 100_000;

/** Makes `setTimeout` fail where it would go on for ever; returns the way back. */
function limitTimers(time: FakeTime): () => void {
  const { setTimeout } = globalThis;
  let at = NaN;
  let timers = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    timers = time.now === at ? timers + 1 : 1;
    at = time.now;
    if (timers > MOST_TIMERS) throw new Error("timers without end");
    return setTimeout(...args);
  }) as typeof setTimeout;
  return () => {
    globalThis.setTimeout = setTimeout;
  };
}

/**
 * Runs timer after timer, and all that they cause, until `holds` or nothing is
 * planned any more. What goes on for ever fails.
 */
export async function runUntil(
  time: FakeTime,
  holds: () => boolean,
  most = 200_000,
): Promise<void> {
  const restore = limitTimers(time);
  try {
    for (let left = most; left > 0; left--) {
      await settle();
      if (holds() || !time.next()) return;
    }
  } finally {
    restore();
  }
  throw new Error(`${most} timers, and no end`);
}

/** Moves the clock on by `seconds`, timer after timer with all that they cause. */
export async function runFor(time: FakeTime, seconds: number): Promise<void> {
  let over = false;
  setTimeout(() => {
    over = true;
  }, Math.round(seconds * 1000));
  await runUntil(time, () => over);
  await settle();
}

/** Seconds on the fake clock. */
export const now = (): number => (Date.now() - NOON) / 1000;

/** Sleeps on the fake clock. */
export function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** One item's request: calls the server in one of the ways that are taught. */
export type Way = (
  limiter: RateLimiter,
  send: () => Promise<Response>,
  options: RetryOptions,
) => Promise<unknown>;

/** The ways to tell a limiter its answer. */
export const WAYS: Readonly<Record<string, Way>> = {
  "returns the response": (limiter, send, options) =>
    retryWithBackoff(send, { ...options, limiter }),
  "parses what attempt.fetch got": (limiter, send, options) =>
    retryWithBackoff(async ({ fetch }: Attempt) => {
      const response = await withFetch(send, () => fetch("https://a.example/"));
      return response.ok ? await response.text() : response;
    }, { ...options, limiter }),
  "parses after attempt.observe": (limiter, send, options) =>
    retryWithBackoff(async ({ observe }) => {
      const response = await send();
      observe({ status: response.status, headers: response.headers });
      if (!response.ok) {
        throw Object.assign(new Error("refused"), { status: response.status });
      }
      return await response.text();
    }, { ...options, limiter }),
};

/** Calls `body` with another global `fetch`; it has to be called at once. */
function withFetch<T>(fetch: () => Promise<Response>, body: () => T): T {
  const original = globalThis.fetch;
  globalThis.fetch = fetch;
  try {
    return body();
  } finally {
    globalThis.fetch = original;
  }
}

/** What a job is like. */
export interface JobOptions {
  readonly limiter: RateLimiter;
  readonly limit: Limit;
  readonly workers: number;
  readonly items: number;
  readonly way?: Way;
  readonly options?: RetryOptions;
  /** Seconds on the way to the server, and back: called for each. */
  readonly latency?: () => number;
}

/** What came of a job. */
export interface JobResult {
  /** Seconds after which the last item was done. */
  seconds: number;
  done: number;
  /** What the lost items failed with. */
  lost: unknown[];
  /** Seconds at which requests went, and those that were refused (429). */
  sent: number[];
  refused: number[];
}

/** Plays a job to its end. */
export async function work(
  time: FakeTime,
  {
    limiter,
    limit,
    workers,
    items,
    way = WAYS["returns the response"]!,
    options = {},
    latency = () => 0.02,
  }: JobOptions,
): Promise<JobResult> {
  const start = now();
  const result: JobResult = {
    seconds: 0,
    done: 0,
    lost: [],
    sent: [],
    refused: [],
  };
  let underWay = 0;
  const send = async () => {
    result.sent.push(now() - start);
    underWay++;
    await wait(latency());
    const answer = limit(Date.now() / 1000, underWay);
    await wait(latency());
    underWay--;
    if (answer.status === 429) result.refused.push(now() - start);
    return new Response(null, answer);
  };
  let left = items;
  const worker = async () => {
    while (left-- > 0) {
      try {
        await way(limiter, send, options);
        result.done++;
      } catch (error) {
        result.lost.push(error);
      }
      result.seconds = now() - start;
    }
  };
  for (let id = 0; id < workers; id++) void worker();
  await runUntil(time, () => result.done + result.lost.length === items);
  return result;
}

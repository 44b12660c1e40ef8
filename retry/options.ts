/**
 * Knows what a call may be told, and refuses the rest.
 *
 * @module
 */

import { checkFields, checkNumber, checkType } from "../arguments/check.ts";
import type { RetryConfigInit } from "../config.ts";
import type { Failure } from "../http/failure.ts";
import type { RateLimiter } from "../rate_limiter.ts";
import type { RetryBudget } from "../retry_budget.ts";

/**
 * What is known before each retry.
 *
 * @example One line a retry
 * ```ts
 * import { type RetryEvent, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const onRetry = (event: RetryEvent) => {
 *   lines.push(`${event.failure.kind}, ${event.delaySource} ${event.delay} s`);
 * };
 * await retryWithBackoff(
 *   ({ number }) => new Response(null, number > 1 ? {} : { status: 504 }),
 *   { onRetry, config: { baseDelay: 0.01, jitter: false } },
 * );
 * assertEquals(lines, ["status, backoff 0.01 s"]);
 * ```
 */
export interface RetryEvent {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** Retries left after the coming one. */
  readonly retriesLeft: number;
  /** The coming wait, in seconds. */
  readonly delay: number;
  /** Who chose the wait: the server (or `retryAfterHeader`), or the backoff. */
  readonly delaySource: "retry-after" | "backoff";
  /** Seconds since the call started. */
  readonly elapsed: number;
  /** What went wrong. */
  readonly failure: Failure;
}

/**
 * How {@linkcode retryWithBackoff} goes about it. Every option may be left
 * out; `undefined` and `null` are as good as left out. Times are in seconds.
 *
 * @example Limits and the caller's own signal
 * ```ts
 * import { retryWithBackoff, type RetryOptions } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const controller = new AbortController();
 * const options: RetryOptions = {
 *   signal: controller.signal,
 *   attemptTimeout: 10,
 *   totalTimeout: 60,
 * };
 * assertEquals(await retryWithBackoff(() => "done", options), "done");
 * ```
 */
export interface RetryOptions {
  /**
   * How often, how long and after which statuses: a `RetryConfig`, or any
   * subset of its fields. A `RetryConfig` is checked once, a plain object at
   * every call.
   *
   * @default {DEFAULT_RETRY}
   */
  readonly config?: RetryConfigInit | null | undefined;
  /**
   * A `Retry-After` value known beforehand: sets the delay of the first retry,
   * unless the failure brings its own.
   */
  readonly retryAfterHeader?: string | null | undefined;
  /**
   * The caller's. When it aborts, the call rejects with its reason at once, in
   * mid-sleep and in mid-attempt, and does not retry.
   */
  readonly signal?: AbortSignal | null | undefined;
  /** Seconds for one attempt, > 0; then it fails with a `TimeoutError`. */
  readonly attemptTimeout?: number | null | undefined;
  /**
   * Seconds for everything, sleeps included, > 0. A retry that could not start
   * in time is not waited for: the last failure is thrown at once.
   */
  readonly totalTimeout?: number | null | undefined;
  /**
   * Asked after each failed attempt, instead of the default rules, whether
   * another try makes sense. Must answer `true` or `false`, or a promise of it.
   */
  readonly shouldRetry?:
    | ((failure: Failure) => boolean | PromiseLike<boolean>)
    | null
    | undefined;
  /** Called and awaited before each sleep. What it throws ends the call. */
  readonly onRetry?:
    | ((event: RetryEvent) => void | PromiseLike<void>)
    | null
    | undefined;
  /**
   * Shared with other calls of the same server: every attempt waits for its
   * turn, and tells the limiter how it went. After a rate limit (429) the call
   * waits in the limiter, and `delay` of the event is what it would have slept.
   */
  readonly limiter?: RateLimiter | null | undefined;
  /** Shared with other calls: stops retrying when too much fails. */
  readonly budget?: RetryBudget | null | undefined;
}

/** All options; `createFetch` has them too, but one. */
export const OPTIONS = [
  "config",
  "retryAfterHeader",
  "signal",
  "attemptTimeout",
  "totalTimeout",
  "shouldRetry",
  "onRetry",
  "limiter",
  "budget",
] as const satisfies readonly (keyof RetryOptions)[];

/** Throws if an option is unknown or cannot be; `config` is checked elsewhere. */
export function checkOptions(options: RetryOptions): void {
  checkFields("options", options, OPTIONS);
  const { retryAfterHeader, signal, limiter, budget } = options;
  checkOption(
    "retryAfterHeader",
    retryAfterHeader,
    "a string",
    typeof retryAfterHeader === "string",
  );
  checkOption(
    "signal",
    signal,
    "an AbortSignal",
    typeof signal?.aborted === "boolean",
  );
  checkTimeout("attemptTimeout", options.attemptTimeout);
  checkTimeout("totalTimeout", options.totalTimeout);
  checkHook("shouldRetry", options.shouldRetry);
  checkHook("onRetry", options.onRetry);
  // By a method: the classes weigh more than all else, and few need them.
  checkOption(
    "limiter",
    limiter,
    "a RateLimiter",
    typeof limiter?.acquire === "function",
  );
  checkOption(
    "budget",
    budget,
    "a RetryBudget",
    typeof budget?.failure === "function",
  );
}

/** Throws unless the option is left out, or has the type that `rule` describes. */
function checkOption(
  name: string,
  option: unknown,
  rule: string,
  holds: boolean,
): void {
  if (holds || option === undefined || option === null) return;
  checkType(name, option, rule, false);
}

function checkTimeout(name: string, seconds: number | null | undefined): void {
  if (seconds === undefined || seconds === null) return;
  checkNumber(name, seconds, "a number of seconds > 0", seconds > 0);
}

function checkHook(name: string, hook: unknown): void {
  checkOption(name, hook, "a function", typeof hook === "function");
}

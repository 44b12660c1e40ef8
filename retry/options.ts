/**
 * The options of a call, what its hooks are told, and the rules for both.
 *
 * @module
 */

import { checkFields, checkNumber, checkType } from "../arguments/check.ts";
import { CONFIG_FIELDS, OPTION_FIELDS } from "../arguments/fields.ts";
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
 * The attempt that failed, as `shouldRetry` is told of it.
 *
 * @example Three tries for a 500, all of them for the rest
 * ```ts
 * import {
 *   type FailedAttempt,
 *   type Failure,
 *   retryWithBackoff,
 * } from "@jarkdown/retry";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const shouldRetry = ({ status }: Failure, { number }: FailedAttempt) =>
 *   status !== 500 || number < 3;
 *
 * let calls = 0;
 * await assertRejects(() =>
 *   retryWithBackoff(() => new Response(`${++calls}`, { status: 500 }), {
 *     shouldRetry,
 *     config: { maxRetries: 9, baseDelay: 0.001 },
 *   })
 * );
 * assertEquals(calls, 3);
 * ```
 */
export interface FailedAttempt {
  /** Number of the attempt, from 1. */
  readonly number: number;
  /** Retries left after the coming one, if it comes. */
  readonly retriesLeft: number;
  /** Seconds since the call started. */
  readonly elapsed: number;
}

/**
 * Why a call ended without success:
 *
 * - `"not-retryable"`: another try makes no sense, by the default rules or by
 *   `shouldRetry`;
 * - `"max-retries"`: `maxRetries` were made;
 * - `"total-timeout"`: `totalTimeout` ran out, or would before the next try;
 * - `"budget"`: the `budget` allows no more retries;
 * - `"aborted"`: the caller's `signal` aborted;
 * - `"limiter"`: the `limiter` did not give it a turn;
 * - `"hook"`: a function of the options threw.
 */
export type GiveUpReason =
  | "not-retryable"
  | "max-retries"
  | "total-timeout"
  | "budget"
  | "aborted"
  | "limiter"
  | "hook";

/**
 * What is known when a call gives up.
 *
 * @example One line for each call that failed
 * ```ts
 * import { type GiveUpEvent, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const lines: string[] = [];
 * const onGiveUp = ({ reason, attempts, failure }: GiveUpEvent) =>
 *   lines.push(`${reason} after ${attempts}: ${failure?.status}`);
 *
 * await assertRejects(() =>
 *   retryWithBackoff(() => new Response(null, { status: 404 }), { onGiveUp })
 * );
 * assertEquals(lines, ["not-retryable after 1: 404"]);
 * ```
 */
export interface GiveUpEvent {
  /** Why. */
  readonly reason: GiveUpReason;
  /** Attempts that were made; 0 if it ended while it waited for the first. */
  readonly attempts: number;
  /** Seconds since the call started. */
  readonly elapsed: number;
  /** What the call rejects with. */
  readonly error: unknown;
  /** What the last attempt failed with, where one did. */
  readonly failure?: Failure;
}

/**
 * The options of {@linkcode retryWithBackoff}. Every one may be left out;
 * `undefined` and `null` are as good as left out. Times are in seconds.
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
   * It is not asked after an `AbortError`, which is final.
   */
  readonly shouldRetry?:
    | ((
      failure: Failure,
      attempt: FailedAttempt,
    ) => boolean | PromiseLike<boolean>)
    | null
    | undefined;
  /**
   * Seconds to wait instead of the backoff, or `undefined` for the backoff
   * after all, which is the event's `delay`. What the server asked for is still
   * the least, and neither `maxDelay` nor the jitter has a say. A finite number
   * >= 0.
   */
  readonly delay?:
    | ((event: RetryEvent) => number | null | undefined)
    | null
    | undefined;
  /**
   * Called before each sleep; a promise is awaited, any other result ignored.
   * What it throws ends the call.
   */
  readonly onRetry?: ((event: RetryEvent) => unknown) | null | undefined;
  /**
   * Called once, when the call is about to reject, after at least one attempt
   * or while it waited in the limiter's queue. Not awaited. The call rejects
   * with its own error whatever this does: what it throws, or rejects with, is
   * reported as an unhandled rejection.
   */
  readonly onGiveUp?: ((event: GiveUpEvent) => unknown) | null | undefined;
  /**
   * Shared with other calls of the same server: every attempt waits for its
   * turn, and tells the limiter how it went. After a rate limit (429) the call
   * waits in the limiter, and `delay` of the event is what it would have slept.
   */
  readonly limiter?: RateLimiter | null | undefined;
  /** Shared with other calls: stops retrying when too much fails. */
  readonly budget?: RetryBudget | null | undefined;
}

const FIELDS: readonly (keyof RetryOptions)[] = OPTION_FIELDS;

/** What is often taken for an option. */
const ELSEWHERE = { name: "config", fields: CONFIG_FIELDS };

/** What an option must be, in words, and whether a value is. */
interface Rule {
  readonly text: string;
  readonly type: (value: unknown) => boolean;
  readonly range?: (value: number) => boolean;
}

const FUNCTION: Rule = {
  text: "a function",
  type: (value) => typeof value === "function",
};
const TIMEOUT: Rule = {
  text: "a number of seconds > 0",
  type: (value) => typeof value === "number",
  range: (seconds) => seconds > 0,
};

/** `config` is not among them: its fields have rules of their own. */
const RULES = new Map<string, Rule>(Object.entries(
  {
    retryAfterHeader: {
      text: "a string",
      type: (value) => typeof value === "string",
    },
    signal: {
      text: "an AbortSignal",
      type: (value) => typeof fieldOf(value, "aborted") === "boolean",
    },
    attemptTimeout: TIMEOUT,
    totalTimeout: TIMEOUT,
    shouldRetry: FUNCTION,
    delay: FUNCTION,
    onRetry: FUNCTION,
    onGiveUp: FUNCTION,
    // By a method: the classes weigh more than all else, and few need them.
    limiter: {
      text: "a RateLimiter",
      type: (value) => typeof fieldOf(value, "acquire") === "function",
    },
    budget: {
      text: "a RetryBudget",
      type: (value) => typeof fieldOf(value, "failure") === "function",
    },
  } satisfies { [Name in Exclude<keyof RetryOptions, "config">]-?: Rule },
));

/** Throws if an option is unknown or cannot be; `config` is checked elsewhere. */
export function checkOptions(options: RetryOptions): void {
  checkFields("options", options, FIELDS, ELSEWHERE);
  for (const name in options) {
    const value: unknown = options[name as keyof RetryOptions];
    const rule = RULES.get(name);
    if (rule && value !== undefined && value !== null) {
      checkRule(name, value, rule);
    }
  }
}

function checkRule(name: string, value: unknown, rule: Rule): void {
  const { text, type, range } = rule;
  checkType(name, value, text, type(value));
  if (range) checkNumber(name, value as number, text, range(value as number));
}

function fieldOf(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}

/**
 * Capped exponential backoff and the jitter strategies: how long to wait where
 * nobody says. Pure arithmetic, no clock.
 *
 * @example Delays without jitter
 * ```ts
 * import { backoffDelay } from "@jarkdown/retry/backoff";
 * import { assertEquals } from "@std/assert";
 *
 * const config = { baseDelay: 1, maxDelay: 5, jitter: false };
 * const delays = [0, 1, 2, 3].map((attempt) => backoffDelay(config, attempt));
 * assertEquals(delays, [1, 2, 4, 5]); // seconds
 * ```
 *
 * @module
 */

import { checkNumber, checkType } from "./arguments/check.ts";

/**
 * Spreads a computed delay, so that calls that failed together do not come
 * back together. Gets the capped backoff in seconds and returns the seconds to
 * wait, a finite number >= 0.
 *
 * @example A strategy of one's own: up to a quarter more
 * ```ts
 * import { backoffDelay, type Jitter } from "@jarkdown/retry/backoff";
 * import { assert } from "@std/assert";
 *
 * const quarter: Jitter = (delay) => delay * (1 + Math.random() / 4);
 * const delay = backoffDelay({ baseDelay: 8, jitter: quarter }, 0);
 * assert(delay >= 8 && delay <= 10);
 * ```
 */
export type Jitter = (delay: number) => number;

/** The fields of a `RetryConfig` that shape the backoff. */
export interface BackoffOptions {
  /**
   * Delay before the first retry, in seconds; doubles with each retry. From 0
   * to 600: more is taken for milliseconds, and who wants to wait that long has
   * the option `delay`. At 0 the first retry follows at once, every other after
   * one turn of the event loop.
   *
   * @default {1}
   */
  readonly baseDelay?: number | null | undefined;
  /**
   * Cap of the computed backoff, before jitter, in seconds. From `baseDelay`
   * to 2147483, the longest that a timer takes (24.8 days).
   *
   * @default {60}
   */
  readonly maxDelay?: number | null | undefined;
  /**
   * How the backoff is spread: `true` is {@linkcode additiveJitter}, `false`
   * is none.
   *
   * @default {true}
   */
  readonly jitter?: boolean | Jitter | null | undefined;
}

/** {@linkcode BackoffOptions} with its defaults filled in. */
export interface Backoff {
  /** Delay before the first retry, in seconds. */
  readonly baseDelay: number;
  /** Cap of the computed backoff, before jitter, in seconds. */
  readonly maxDelay: number;
  /** How the backoff is spread. */
  readonly jitter: boolean | Jitter;
}

/** Fills in the defaults and checks the ranges. */
export function resolveBackoff(options: BackoffOptions): Backoff {
  const baseDelay = options.baseDelay ?? 1;
  const maxDelay = options.maxDelay ?? 60;
  const jitter = options.jitter ?? true;
  checkNumber(
    "baseDelay",
    baseDelay,
    "a finite number of seconds >= 0",
    baseDelay >= 0 && baseDelay < Infinity,
  );
  checkNumber(
    "maxDelay",
    maxDelay,
    "a number of seconds from 0 to 2147483",
    maxDelay >= 0 && maxDelay <= 2147483,
  );
  checkNumber(
    "baseDelay",
    baseDelay,
    `<= 'maxDelay' (${maxDelay}), both in seconds, not milliseconds`,
    baseDelay <= maxDelay,
  );
  checkNumber(
    "baseDelay",
    baseDelay,
    "at most 600, since delays are in seconds, not milliseconds",
    baseDelay <= 600,
  );
  checkType(
    "jitter",
    jitter,
    "a boolean or a function",
    typeof jitter === "boolean" || typeof jitter === "function",
  );
  return { baseDelay, maxDelay, jitter };
}

/**
 * The seconds to wait before retry number `attempt`:
 * `min(baseDelay * 2 ** attempt, maxDelay)`, then the jitter.
 *
 * @example With the default jitter, up to twice the backoff
 * ```ts
 * import { backoffDelay } from "@jarkdown/retry/backoff";
 * import { assert } from "@std/assert";
 *
 * const delay = backoffDelay({ baseDelay: 1, maxDelay: 60 }, 2);
 * assert(delay >= 4 && delay < 8);
 * ```
 *
 * @param config A `RetryConfig`, or any subset of its fields.
 * @param attempt 0 for the first retry. An integer >= 0 or `Infinity`.
 * @returns Seconds, finite, >= 0.
 * @throws {RangeError} If a number is out of range, or the jitter returned
 * anything but a finite number >= 0.
 * @throws {TypeError} If a field has the wrong type.
 */
export function backoffDelay(config: BackoffOptions, attempt: number): number {
  const backoff = resolveBackoff(config);
  checkNumber(
    "attempt",
    attempt,
    "an integer >= 0 or Infinity",
    attempt >= 0 && (Number.isInteger(attempt) || attempt === Infinity),
  );
  return delayBefore(backoff, attempt);
}

/** {@linkcode backoffDelay} of what was checked. */
export function delayBefore(backoff: Backoff, attempt: number): number {
  const { baseDelay, maxDelay, jitter } = backoff;
  // 0 * 2 ** 1024 is NaN.
  const delay = baseDelay === 0
    ? 0
    : Math.min(baseDelay * 2 ** attempt, maxDelay);
  if (jitter === false) return delay;
  const jittered = jitter === true ? additiveJitter(delay) : jitter(delay);
  return checkDelay("jitter", jittered, delay);
}

/** Returns the seconds that a function of the caller's chose, if they are any. */
export function checkDelay(
  name: string,
  chosen: number,
  instead: number,
): number {
  if (chosen >= 0 && Number.isFinite(chosen)) return chosen;
  throw new RangeError(
    `Cannot retry as '${name}' must return a finite number of seconds >= 0: it returned ${chosen} for ${instead}`,
  );
}

/**
 * Between one and two times the delay: `d + U(0, d)`. Never shorter than the
 * backoff, which is why it is the default.
 *
 * @example Usage
 * ```ts
 * import { additiveJitter } from "@jarkdown/retry/backoff";
 * import { assert } from "@std/assert";
 *
 * const delay = additiveJitter(4);
 * assert(delay >= 4 && delay < 8);
 * ```
 *
 * @param delay The backoff, in seconds.
 * @returns Seconds.
 */
export function additiveJitter(delay: number): number {
  return delay + Math.random() * delay;
}

/**
 * Anywhere up to the delay: `U(0, d)`. Spreads best, waits half as long on
 * average
 * ({@link https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ | source}).
 *
 * @example Usage
 * ```ts
 * import { backoffDelay, fullJitter } from "@jarkdown/retry/backoff";
 * import { assert } from "@std/assert";
 *
 * const delay = backoffDelay({ jitter: fullJitter }, 1);
 * assert(delay >= 0 && delay < 2);
 * ```
 *
 * @param delay The backoff, in seconds.
 * @returns Seconds.
 */
export function fullJitter(delay: number): number {
  return Math.random() * delay;
}

/**
 * Between half the delay and the delay: `d/2 + U(0, d/2)`. Spreads, and keeps
 * a floor.
 *
 * @example Usage
 * ```ts
 * import { backoffDelay, equalJitter } from "@jarkdown/retry/backoff";
 * import { assert } from "@std/assert";
 *
 * const delay = backoffDelay({ jitter: equalJitter }, 1);
 * assert(delay >= 1 && delay < 2);
 * ```
 *
 * @param delay The backoff, in seconds.
 * @returns Seconds.
 */
export function equalJitter(delay: number): number {
  return delay / 2 + Math.random() * delay / 2;
}

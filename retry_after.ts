/**
 * Knows how servers say when to come back: `Retry-After` and the rate limit
 * headers around it.
 *
 * @example Seconds and dates
 * ```ts
 * import { parseRetryAfter } from "@jarkdown/retry/retry-after";
 * import { assertEquals } from "@std/assert";
 *
 * const now = new Date("2026-11-23T12:00:00Z");
 * assertEquals(parseRetryAfter("30"), 30);
 * assertEquals(parseRetryAfter("Mon, 23 Nov 2026 12:00:30 GMT", { now }), 30);
 * ```
 *
 * @module
 */

import { checkNumber } from "./arguments/check.ts";
import { parseHttpDate } from "./http/date.ts";
import { readDelay } from "./http/dialects.ts";
import { type HeadersLike, toHeaders } from "./http/headers.ts";
import { parseNumber } from "./http/number.ts";

/** How {@linkcode parseRetryAfter} reads a value. */
export interface RetryAfterOptions {
  /**
   * What a date is measured against: a `Date`, or milliseconds since the
   * epoch as of `Date.now()`.
   *
   * @default {Date.now()}
   */
  readonly now?: number | Date | null | undefined;
  /**
   * Cap of the result, in seconds, >= 0.
   *
   * @default {300}
   */
  readonly max?: number | null | undefined;
  /**
   * The result for what cannot be read, in seconds. Finite, >= 0.
   *
   * @default {5}
   */
  readonly fallback?: number | null | undefined;
}

/** Seconds as any consumer can use them: no sign, no overflow, no more than `max`. */
function clamp(seconds: number, max: number): number {
  return Math.min(Math.max(0, seconds), max, Number.MAX_VALUE);
}

/** {@linkcode RetryAfterOptions}, checked; the clock is asked when it matters. */
interface Reading {
  readonly now: number | undefined;
  readonly max: number;
  readonly fallback: number;
}

function read(value: string, { now, max, fallback }: Reading): number {
  const text = value.trim();
  const seconds = parseNumber(text);
  if (seconds !== undefined) return clamp(seconds, max);
  const present = now ?? Date.now();
  const date = parseHttpDate(text, present);
  return date === undefined ? fallback : clamp((date - present) / 1000, max);
}

function resolve(
  options: RetryAfterOptions | null | undefined,
  cap: number,
): Reading {
  const now = options?.now ?? undefined;
  const max = options?.max ?? cap;
  const fallback = options?.fallback ?? 5;
  if (now !== undefined) {
    checkNumber(
      "now",
      Number(now),
      "a valid Date or a finite number of milliseconds",
      Number.isFinite(Number(now)),
    );
  }
  checkNumber("max", max, "a number of seconds >= 0", max >= 0);
  checkNumber(
    "fallback",
    fallback,
    "a finite number of seconds >= 0",
    fallback >= 0 && fallback < Infinity,
  );
  return { now: now && Number(now), max, fallback };
}

/**
 * Reads a `Retry-After` value
 * ({@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 | RFC 9110, section 10.2.3}):
 * a number of seconds, or an HTTP-date in any of its three forms
 * ({@link https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 | section 5.6.7}).
 *
 * More generous than the grammar where servers are: fractions, signs and white
 * space around are fine, names match in any letter case, `UTC` stands for
 * `GMT`, and the weekday need not fit the date. Stricter than `Date.parse`:
 * dates that do not exist, other zones and ISO 8601 are not readable.
 *
 * Never throws for any string, in linear time.
 *
 * @example What comes out
 * ```ts
 * import { parseRetryAfter } from "@jarkdown/retry/retry-after";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRetryAfter("1.5"), 1.5);
 * assertEquals(parseRetryAfter("-5"), 0);
 * assertEquals(parseRetryAfter("999"), 300);
 * assertEquals(parseRetryAfter("999", { max: 3600 }), 999);
 * assertEquals(parseRetryAfter("invalid garbage"), 5);
 * ```
 *
 * @param value The header's value.
 * @param options What dates are measured against, the cap and the fallback.
 * @returns Seconds from 0 to `max`, or `fallback` for what cannot be read.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If `value` is no string, or an option no number.
 */
export function parseRetryAfter(
  value: string,
  options?: RetryAfterOptions | null,
): number {
  if (typeof value !== "string") {
    throw new TypeError(
      `Cannot parse Retry-After as 'value' must be a string: current value is ${value}`,
    );
  }
  return read(value, resolve(options, 300));
}

/**
 * How many seconds the server asked to wait, in whatever header it said so:
 *
 * 1. what it asked for, if that is above 0: `retry-after-ms` and
 *    `x-ms-retry-after-ms` (OpenAI, Azure) before `retry-after`
 *    ({@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 | RFC 9110}),
 *    and that before `x-amz-retry-after` (milliseconds), `x-retry-in` and the
 *    like. Here, `retry-after` may also be a duration (`90s`) or ISO 8601
 *    (Zoom);
 * 2. else the longest reset among the limits that are used up, as the headers
 *    of many APIs tell them: `RateLimit`
 *    ({@link https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ | draft}),
 *    `X-RateLimit-*` and some hundred others, in seconds, Unix time, dates or
 *    durations. A reset in the past is ignored, as is what a cache has kept;
 * 3. else `fallback` if `retry-after` is malformed.
 *
 * Dates are measured against the response's own `date` where it has one and no
 * `age`, so that a wrong client clock does no harm.
 *
 * @example GitHub's primary limit
 * ```ts
 * import { serverDelay } from "@jarkdown/retry/retry-after";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = {
 *   "X-RateLimit-Remaining": "0",
 *   "X-RateLimit-Reset": "1795435260",
 * };
 * assertEquals(serverDelay(headers, { now: 1795435200_000 }), 60);
 * assertEquals(serverDelay({ "content-type": "text/plain" }), undefined);
 * ```
 *
 * @param headers `Headers`, or a plain object of any letter case.
 * @param options As of {@linkcode parseRetryAfter}, but without a cap unless
 * `max` is given.
 * @returns Seconds, finite, >= 0; `undefined` where the server said nothing
 * usable.
 * @throws {RangeError} If an option is out of range.
 */
export function serverDelay(
  headers: HeadersLike | null | undefined,
  options?: RetryAfterOptions | null,
): number | undefined {
  const { now = Date.now(), max, fallback } = resolve(
    options,
    Number.MAX_VALUE,
  );
  const all = toHeaders(headers);
  if (!all) return undefined;
  const delay = readDelay(all, now) ?? unread(all, fallback);
  return delay === undefined ? undefined : clamp(delay, max);
}

/** A `retry-after` that asks for nothing, or for nobody knows what. */
function unread(headers: Headers, fallback: number): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  return read(value, { now: 0, max: 0, fallback });
}

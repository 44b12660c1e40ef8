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
import { type HeadersLike, toHeaders } from "./http/headers.ts";

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

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

const MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";
const SHORT_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)";
const LONG_DAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day";
const TIME = "\\d\\d:\\d\\d:\\d\\d";
const ZONE = "(?:gmt|utc)";
/** Sun, 06 Nov 1994 08:49:37 GMT */
const IMF_FIXDATE = new RegExp(
  `^${SHORT_DAY}, \\d\\d (?:${MONTHS}) \\d{4} ${TIME} ${ZONE}$`,
  "i",
);
/** Sunday, 06-Nov-94 08:49:37 GMT */
const RFC850_DATE = new RegExp(
  `^${LONG_DAY}, \\d\\d-(?:${MONTHS})-\\d\\d ${TIME} ${ZONE}$`,
  "i",
);
/** Sun Nov  6 08:49:37 1994 */
const ASCTIME_DATE = new RegExp(
  `^${SHORT_DAY} (?:${MONTHS}) [\\d ]\\d ${TIME} \\d{4}$`,
  "i",
);
/** 2026-11-23T12:00Z, with seconds or without, with an offset or `Z`. */
const ISO_DATE =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/i;

/** The Gregorian calendar repeats itself after 400 years. */
const CYCLE = 146_097 * 86_400_000;

/** `Date.UTC` without its rolling over and its reading of years below 100. */
function instant(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  const midnight = Date.UTC(year + 400, month, day) - CYCLE;
  // Every month has a 28th; `Date` is asked about the others.
  const exists = month >= 0 && month < 12 && day > 0 &&
    (day <= 28 || new Date(midnight).getUTCDate() === day) &&
    hour < 24 && minute < 60 && second <= 60;
  return exists
    ? midnight + ((hour * 60 + minute) * 60 + second) * 1000
    : undefined;
}

/** The two digits at a place; a space in front is a 0. */
function two(text: string, at: number): number {
  return (text.charCodeAt(at) & 15) * 10 + (text.charCodeAt(at + 1) & 15);
}

/** 0 to 11; another letter case than the usual one is looked for second. */
function monthNamed(name: string): number {
  const place = MONTHS.indexOf(name);
  if (place >= 0) return place / 4;
  return MONTHS.toLowerCase().indexOf(name.toLowerCase()) / 4;
}

/** The instant of a date whose parts stand at these places of `text`. */
function instantAt(
  text: string,
  year: number,
  month: number,
  day: number,
  time: number,
): number | undefined {
  return instant(
    year,
    monthNamed(text.slice(month, month + 3)),
    two(text, day),
    two(text, time),
    two(text, time + 3),
    two(text, time + 6),
  );
}

/** The latest year ending in these digits that is at most 50 years ahead. */
function fullYear(
  digits: number,
  now: number,
  at: (year: number) => number | undefined,
): number {
  const today = new Date(now);
  const thisYear = today.getUTCFullYear();
  const limit = today.setUTCFullYear(thisYear + 50);
  const year = thisYear + 50 - (thisYear + 50 - digits) % 100;
  return (at(year) ?? 0) > limit ? year - 100 : year;
}

/** Milliseconds since the epoch of an HTTP-date (RFC 9110, section 5.6.7). */
function parseHttpDate(text: string, now: number): number | undefined {
  if (IMF_FIXDATE.test(text)) {
    const year = two(text, 12) * 100 + two(text, 14);
    return instantAt(text, year, 8, 5, 17);
  }
  if (RFC850_DATE.test(text)) {
    const day = text.indexOf(",") + 2;
    const at = (year: number) => instantAt(text, year, day + 3, day, day + 10);
    return at(fullYear(two(text, day + 7), now, at));
  }
  if (ASCTIME_DATE.test(text)) {
    const year = two(text, 20) * 100 + two(text, 22);
    return instantAt(text, year, 4, 8, 11);
  }
  return undefined;
}

/** Milliseconds since the epoch of an ISO 8601 instant with a zone. */
function parseIsoDate(text: string): number | undefined {
  const match = ISO_DATE.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = "0", fraction = "0"] =
    match;
  const [sign = "+", offsetHour = "0", offsetMinute = "0"] = match.slice(8);
  const local = instant(+year!, +month! - 1, +day!, +hour!, +minute!, +second);
  const offset = Number(`${sign}1`) * (+offsetHour * 60 + +offsetMinute) * 60;
  return local === undefined
    ? undefined
    : local + (Number(`0.${fraction}`) - offset) * 1000;
}

/** A decimal number in the grammar of `float()`, less words and underscores. */
export function parseNumber(text: string): number | undefined {
  const number = Number(text);
  if (Number.isNaN(number)) return undefined;
  // `Number` takes more than this grammar, but not of what it would write itself.
  const plain = Number.isFinite(number) && String(number) === text;
  return plain || NUMBER.test(text) ? number : undefined;
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

/** One policy of a `RateLimit` or `RateLimit-Policy` field: its parameters. */
export type RateLimitItem = { readonly [parameter: string]: number };

/** What the revisions up to -07 of the draft called `q`, `r`, `t` and `w`. */
const OLD_NAMES: { readonly [name: string]: string } = {
  limit: "q",
  remaining: "r",
  reset: "t",
};

/**
 * Reads `"hour";r=0;t=23, "day";r=9;t=4000` and the older
 * `limit=100, remaining=0, reset=5`; what is malformed reads as nothing, as
 * the draft demands
 * ({@link https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ | RateLimit fields}).
 */
export function parseRateLimit(value: string): RateLimitItem[] {
  const parts = value.split('"');
  if (parts.length % 2 === 0 || value.includes("\\")) return [];
  // Policy names stand in quotes and may hold commas; only parameters count.
  const fields = parts.filter((_, index) => index % 2 === 0).join("");
  return parts.length === 1
    ? [parseParameters(fields.replaceAll(",", ";"))]
    : fields.split(",").map(parseParameters);
}

function parseParameters(text: string): RateLimitItem {
  const parameters: { [name: string]: number } = {};
  for (const parameter of text.split(";")) {
    const [name = "", value = ""] = parameter.split("=", 2);
    const number = parseNumber(value.trim());
    const key = name.trim().toLowerCase();
    if (number !== undefined) parameters[OLD_NAMES[key] ?? key] = number;
  }
  return parameters;
}

/** Below: seconds from now. From here: Unix seconds (9 September 2001). */
const UNIX_SECONDS = 1e9;
/** From here: Unix milliseconds. */
const UNIX_MILLISECONDS = 1e12;

/** Seconds until a rate limit resets, however the server writes that. */
export function parseReset(text: string, now: number): number | undefined {
  const number = parseNumber(text);
  if (number === undefined) return ahead(parseIsoDate(text), now);
  if (number < UNIX_SECONDS) return Math.max(0, number);
  return ahead(number < UNIX_MILLISECONDS ? number * 1000 : number, now);
}

/** A reset in the past says nothing about the future (Jira has sent such). */
function ahead(instant: number | undefined, now: number): number | undefined {
  return instant === undefined || instant < now
    ? undefined
    : (instant - now) / 1000;
}

/** The response's own clock where it has one: a wrong client clock does no harm. */
export function serverNow(headers: Headers, now: number): number {
  // A cache's Date is as old as its Age (RFC 9111, section 4.2.3).
  const date = headers.has("age") ? null : headers.get("date");
  return date === null ? now : parseHttpDate(date, now) ?? now;
}

/**
 * How many seconds the server asked to wait, in whatever header it said so.
 * The first of these that says something counts:
 *
 * 1. `retry-after-ms` and `x-ms-retry-after-ms`: milliseconds (OpenAI, Azure);
 * 2. `retry-after`
 *    ({@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 | RFC 9110}),
 *    a date measured against the response's own `date` where it has one and no
 *    `age`; malformed, it is `fallback`;
 * 3. `ratelimit`
 *    ({@link https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ | draft})
 *    and Jira's `beta-ratelimit`: the longest `t` among items with `r=0`;
 * 4. `x-ratelimit-reset` and `ratelimit-reset`, only where the matching
 *    `-remaining` is 0: seconds from now (below 1e9), Unix seconds (GitHub),
 *    Unix milliseconds (from 1e12) or ISO 8601 with a zone (Jira). A reset in
 *    the past is ignored.
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
  const present = serverNow(all, now);
  const delay = millisecondsAsked(all) ??
    retryAfterAsked(all, { now: present, max: Infinity, fallback }) ??
    exhausted(all) ??
    resetAsked(all, present);
  return delay === undefined ? undefined : clamp(delay, max);
}

function millisecondsAsked(headers: Headers): number | undefined {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const value = headers.get(name);
    const milliseconds = value === null ? undefined : parseNumber(value);
    if (milliseconds !== undefined) return milliseconds / 1000;
  }
  return undefined;
}

function retryAfterAsked(
  headers: Headers,
  reading: Reading,
): number | undefined {
  const value = headers.get("retry-after");
  return value === null ? undefined : read(value, reading);
}

function exhausted(headers: Headers): number | undefined {
  for (const name of ["ratelimit", "beta-ratelimit"]) {
    const value = headers.get(name);
    if (value === null) continue;
    const longest = parseRateLimit(value)
      .filter((item) => item.r === 0 && item.t !== undefined)
      .reduce((wait, item) => Math.max(wait, item.t!), -1);
    if (longest >= 0) return longest;
  }
  return undefined;
}

function resetAsked(headers: Headers, now: number): number | undefined {
  for (const prefix of ["x-ratelimit", "ratelimit"]) {
    const reset = headers.get(`${prefix}-reset`);
    const remaining = headers.get(`${prefix}-remaining`);
    if (reset === null || remaining === null) continue;
    if (parseNumber(remaining) !== 0) continue;
    const delay = parseReset(reset, now);
    if (delay !== undefined) return delay;
  }
  return undefined;
}

/**
 * Knows what a server's rate limit headers say is left: of a window that all
 * comes back at once, or of a bucket that is refilled steadily. Pure.
 *
 * @module
 */

import { parseNumber, parseRateLimit, parseReset } from "./retry_after.ts";

/** What the headers of one answer say. */
export interface Told {
  /** Requests left. */
  readonly remaining: number;
  /** All of them, where said. */
  readonly limit: number | undefined;
  /** Seconds until all are back, where said: then it is a window. */
  readonly reset: number | undefined;
  /** Whether `reset` was an instant in whole seconds, and so rounded up. */
  readonly rounded: boolean;
  /** Requests per second that come back steadily, where said. */
  readonly refill: number | undefined;
}

/**
 * What is known to be left. A window has `resetAt`, `Infinity` from when it is
 * over until the first answer of the next one; a bucket has `refill`.
 */
export interface Quota {
  /** Requests left, as of the last word. */
  readonly remaining: number;
  /** All of them. */
  readonly limit: number;
  /** When all are back, in seconds since the epoch; `undefined` for a bucket. */
  readonly resetAt: number | undefined;
  /** Whether `resetAt` is a guess that one request has to confirm. */
  readonly guessed: boolean;
  /** Seconds that a window lasts, 0 where unknown. */
  readonly window: number;
  /** Requests per second that come back steadily, 0 where unknown. */
  readonly refill: number;
  /** The number of the request that brought the last word. */
  readonly number: number;
  /** When that request was sent. */
  readonly at: number;
  /** Where the measuring of `refill` started. */
  readonly from: Mark;
}

/** One reading of a bucket. */
interface Mark {
  readonly remaining: number;
  readonly number: number;
  readonly at: number;
}

/** Requests kept in a bucket, for those that overtake others on the way. */
const RESERVE = 4;
/** Seconds between two looks at a bucket of which no refill was seen yet. */
const LOOK = 0.1;
/** Seconds over which a refill is measured. */
const MEASURE = 0.5;
/** Seconds of measuring from which a refill is usable. */
const USABLE = 0.05;

function count(headers: Headers, name: string): number | undefined {
  const value = parseNumber(headers.get(name) ?? "");
  return value !== undefined && value >= 0 ? value : undefined;
}

/** Reads the draft's `RateLimit`, `X-RateLimit-*` and Jira's own, if any is there. */
export function readQuota(headers: Headers, now: number): Told | undefined {
  return readDraft(headers) ?? readFields(headers, "x-ratelimit", now) ??
    readFields(headers, "ratelimit", now);
}

/** Of several policies, the one with the least left. */
function readDraft(headers: Headers): Told | undefined {
  for (const name of ["ratelimit", "beta-ratelimit"]) {
    const items = parseRateLimit(headers.get(name) ?? "")
      .filter(({ r, t }) => r !== undefined && r >= 0 && t !== undefined);
    if (items.length === 0) continue;
    const item = items.reduce((least, next) =>
      next.r! < least.r! ? next : least
    );
    const policies = parseRateLimit(headers.get(`${name}-policy`) ?? "");
    return {
      remaining: item.r!,
      limit: item.q ?? (policies.length === 1 ? policies[0]!.q : undefined),
      reset: item.t!,
      rounded: false,
      refill: undefined,
    };
  }
  return undefined;
}

function readFields(
  headers: Headers,
  prefix: string,
  now: number,
): Told | undefined {
  const remaining = count(headers, `${prefix}-remaining`);
  if (remaining === undefined) return undefined;
  const text = headers.get(`${prefix}-reset`) ?? "";
  const fill = count(headers, `${prefix}-fillrate`);
  const seconds = count(headers, `${prefix}-interval-seconds`);
  return {
    remaining,
    limit: count(headers, `${prefix}-limit`),
    reset: parseReset(text, now * 1000),
    rounded: /^\d{10}$/.test(text),
    refill: fill && seconds ? fill / seconds : undefined,
  };
}

/** What is left after another word of the server, and how windows open. */
export function updateQuota(
  quota: Quota | undefined,
  told: Told,
  turn: { readonly number: number; readonly at: number },
  now: number,
  pending: number,
  firstHit: boolean | undefined,
): Quota {
  return told.reset === undefined || told.refill !== undefined
    ? updateBucket(quota, told, turn)
    : updateWindow(quota, told, told.reset, turn, now, pending, firstHit);
}

function updateWindow(
  quota: Quota | undefined,
  told: Told,
  reset: number,
  turn: { readonly number: number; readonly at: number },
  now: number,
  pending: number,
  firstHit: boolean | undefined,
): Quota {
  const { remaining } = told;
  const limit = told.limit ?? Math.max(quota?.limit ?? 0, remaining + 1);
  const first = remaining === limit - 1;
  const exact = first && told.rounded && reset >= 1 && firstHit !== false &&
    (firstHit || Math.round(now + reset) % 10 !== 0);
  const resetAt = now + (exact ? Math.floor(reset) : reset);
  const mark = { remaining, number: turn.number, at: turn.at };
  const word = { ...mark, limit, refill: 0, from: mark };
  const same = quota?.resetAt !== undefined && quota.resetAt < Infinity &&
    remaining <= quota.remaining + pending + 1;
  if (!same) {
    return {
      ...word,
      resetAt,
      guessed: exact && !firstHit,
      window: first ? resetAt - now : quota?.window ?? 0,
    };
  }
  return {
    ...word,
    remaining: Math.min(remaining, quota.remaining),
    // Each word is late or rounded up: the earliest is the most exact.
    resetAt: Math.min(resetAt, quota.resetAt!),
    guessed: quota.guessed,
    window: quota.window,
  };
}

function updateBucket(
  quota: Quota | undefined,
  told: Told,
  turn: { readonly number: number; readonly at: number },
): Quota {
  if (quota && turn.number < quota.number) return quota;
  const { remaining } = told;
  const limit = told.limit ?? Math.max(quota?.limit ?? 0, remaining + 1);
  const mark = { remaining, number: turn.number, at: turn.at };
  const from = quota?.from ?? mark;
  const seconds = turn.at - from.at;
  const returned = remaining - from.remaining + turn.number - from.number;
  const measured = seconds >= USABLE
    ? Math.max(0, returned / seconds)
    : quota?.refill ?? 0;
  // A full bucket takes nothing back: measuring starts below.
  const restart = seconds >= MEASURE || remaining >= limit - 1;
  return {
    ...mark,
    limit,
    resetAt: undefined,
    guessed: false,
    window: 0,
    refill: told.refill ?? measured,
    from: restart ? mark : from,
  };
}

/** Seconds until something is known to be left. */
export function quotaWait(
  quota: Quota,
  now: number,
  sent: number,
  sentAt: number,
  pending: number,
  patience: number,
): number {
  const { remaining, limit, resetAt, refill } = quota;
  if (resetAt !== undefined) return remaining > pending ? 0 : resetAt - now;
  // Requests later than the last word have taken their share meanwhile.
  const level = Math.min(limit, remaining + refill * (now - quota.at)) -
    (sent - quota.number);
  const reserve = refill > 0 ? Math.min(RESERVE, limit / 10) : 0;
  if (level >= 1 + reserve) return 0;
  if (refill > 0) return (1 + reserve - level) / refill;
  return sentAt + (pending > 0 ? patience : LOOK) - now;
}

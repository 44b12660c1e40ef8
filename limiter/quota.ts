/**
 * Knows what a server's rate limit headers say is left: of a window that all
 * comes back at once, or of a bucket that is refilled steadily. Pure.
 *
 * @module
 */

import { parseNumber, parseRateLimit, parseReset } from "../retry_after.ts";

/** A request that was let go. */
export interface Turn {
  /** Its number. */
  readonly number: number;
  /** When it went, in seconds since the epoch. */
  readonly at: number;
  /** How many were under way with it, itself included. */
  readonly crowd: number;
}

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
  /** When `remaining` was right, for a bucket. */
  readonly at: number;
  /** Where the measuring of `refill` started. */
  readonly from: Mark;
}

/** One reading of a bucket. */
interface Mark {
  readonly remaining: number;
  readonly at: number;
  /** Requests answered by then. */
  readonly done: number;
  /** Requests under way then, of which the server had some already. */
  readonly pending: number;
}

/** The longest pause, in seconds; then one request asks again. */
export const LONGEST_PAUSE = 300;
/** Requests kept in a bucket, for those that overtake others on the way. */
const RESERVE = 4;
/** Seconds of traffic that go together: a timer for each request is dear. */
export const BATCH = 0.02;
/** Seconds between two looks at a bucket of which no refill was seen yet. */
const LOOK = 0.1;
/** Seconds over which a refill is measured. */
const MEASURE = 0.25;
/** ... and how many times as long as an answer takes, at the least. */
const OVERTAKING = 2;
/** Growth of a refill that leaves the bucket full. */
const FULL_GROWTH = 2;
/** Part of the first measurement that is believed. */
const CAUTION = 0.8;
/** Part of what one answer says that is believed against what was expected. */
const GAIN_UP = 0.05;
const GAIN_DOWN = 0.1;
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

/** Of several policies, the one with the least left, for the longest. */
function readDraft(headers: Headers): Told | undefined {
  for (const name of ["ratelimit", "beta-ratelimit"]) {
    const items = parseRateLimit(headers.get(name) ?? "")
      .filter(({ r, t }) => r !== undefined && r >= 0 && t !== undefined);
    const [item] = items.toSorted((a, b) => a.r! - b.r! || b.t! - a.t!);
    if (!item) continue;
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
  turn: Turn,
  now: number,
  sent: number,
  pending: number,
  firstHit: boolean | undefined,
): Quota {
  return told.reset === undefined || told.refill !== undefined
    ? updateBucket(quota, told, turn, now, sent, pending)
    : updateWindow(
      quota,
      told,
      Math.min(told.reset, LONGEST_PAUSE),
      turn,
      now,
      sent,
      firstHit,
    );
}

function updateWindow(
  quota: Quota | undefined,
  told: Told,
  reset: number,
  turn: Turn,
  now: number,
  sent: number,
  firstHit: boolean | undefined,
): Quota {
  const { remaining } = told;
  const limit = told.limit ?? Math.max(quota?.limit ?? 0, remaining + 1);
  const first = remaining === limit - 1;
  const exact = first && told.rounded && reset >= 1 && firstHit !== false &&
    (firstHit || Math.round(now + reset) % 60 !== 0);
  const resetAt = now + (exact ? Math.floor(reset) : reset);
  const mark = { remaining, at: turn.at, done: 0, pending: 0 };
  const word = { remaining, limit, refill: 0, at: now, from: mark };
  const same = quota?.resetAt !== undefined && quota.resetAt < Infinity &&
    remaining <= quota.remaining + overtaken(turn, sent);
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
  turn: Turn,
  now: number,
  sent: number,
  pending: number,
): Quota {
  const { remaining } = told;
  const limit = told.limit ?? Math.max(quota?.limit ?? 0, remaining + 1);
  const mark = { remaining, at: turn.at, done: sent - pending, pending };
  const bucket = {
    limit,
    resetAt: undefined,
    guessed: false,
    window: 0,
    at: now,
  };
  const old = quota?.resetAt === undefined ? quota : undefined;
  const start = { ...bucket, remaining, refill: told.refill ?? 0, from: mark };
  if (!old) return start;
  const seconds = turn.at - old.from.at;
  if (old.refill === 0 && told.refill === undefined) {
    // The least that was told counts, until more comes back than overtaking explains.
    if (remaining <= old.remaining) return start;
    const proven = remaining - old.remaining - overtaken(turn, sent);
    if (proven <= 0 || seconds < USABLE) return old;
    // All that was under way may have been counted before.
    const least = { ...old.from, done: old.from.done + old.from.pending };
    const refill = CAUTION *
      Math.max(proven / seconds, measureRefill(least, mark, seconds));
    return { ...start, remaining: remaining - pending, refill };
  }
  // Answers overtake each other by as much as they take.
  const long = seconds >= Math.max(MEASURE, (now - turn.at) * OVERTAKING);
  const refill = told.refill ??
    (long ? correctRefill(old, mark, seconds) : old.refill);
  // What is under way takes its share, and the bucket is refilled meanwhile.
  const seen = remaining - pending + refill * (now - turn.at);
  const expected = levelAt(old, now);
  const gain = seen > expected ? GAIN_UP : GAIN_DOWN;
  return {
    ...bucket,
    // One word alone does not change much.
    remaining: expected + (seen - expected) * gain,
    refill,
    from: long ? mark : old.from,
  };
}

/** A full bucket takes nothing back: then more may be asked of it. */
function correctRefill(old: Quota, mark: Mark, seconds: number): number {
  const measured = measureRefill(old.from, mark, seconds);
  return mark.remaining >= old.limit - 1
    ? Math.max(measured, old.refill * FULL_GROWTH)
    : (old.refill + measured) / 2;
}

/** What came back since the measuring started, over the time since. */
function measureRefill(from: Mark, mark: Mark, seconds: number): number {
  const returned = mark.remaining - from.remaining + mark.done - from.done;
  return Math.max(0, returned / seconds);
}

/** How many requests, at the most, the server had before this one's answer came. */
function overtaken({ number, crowd }: Turn, sent: number): number {
  return sent - number + crowd;
}

function levelAt({ remaining, limit, refill, at }: Quota, now: number): number {
  return Math.min(limit, remaining + refill * (now - at));
}

/** The window is over: its first answer will tell how long the next one lasts. */
export function renewQuota(quota: Quota): Quota {
  return { ...quota, remaining: quota.limit, resetAt: Infinity };
}

/** One request goes. */
export function spendQuota(quota: Quota, now: number): Quota {
  if (quota.refill === 0) return quota;
  return { ...quota, remaining: levelAt(quota, now) - 1, at: now };
}

/** Seconds until something is known to be left. */
export function quotaWait(
  quota: Quota,
  now: number,
  sentAt: number,
  pending: number,
  patience: number,
): number {
  const { remaining, limit, resetAt, refill } = quota;
  if (resetAt !== undefined) return remaining > pending ? 0 : resetAt - now;
  if (refill > 0) {
    const reserve = Math.min(RESERVE, limit / 10);
    const level = levelAt(quota, now) - reserve;
    const batch = Math.max(1, Math.min(refill * BATCH, limit / 10));
    return level >= 1 ? 0 : (batch - level) / refill;
  }
  if (remaining > pending) return 0;
  return sentAt + (pending > 0 ? patience : LOOK) - now;
}

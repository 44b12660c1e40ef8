/**
 * A quota that a server's headers tell: of a window that all comes back at
 * once, or of a bucket that is refilled steadily. Pure.
 *
 * @module
 */

import type { LimitReading } from "../http/dialects.ts";
import type { Permit } from "./model.ts";

/** What is known to be left of one limit that the headers name. */
export interface Quota {
  /** Which limit: as of the reading. */
  readonly id: string;
  /** Whether all comes back at once, or steadily. */
  readonly kind: "window" | "bucket";
  /** Whether requests are what it counts: else it only closes at 0. */
  readonly counted: boolean;
  /** All of them. */
  readonly limit: number;
  /** Requests left: the least that was told, or the level at `at`. */
  readonly remaining: number;
  /** When `remaining` was right. */
  readonly at: number;
  /** When all are back; `undefined` where not told, or where that is over. */
  readonly resetAt: number | undefined;
  /** Whether `resetAt` is a guess that one request has to confirm. */
  readonly guessed: boolean;
  /**
   * Whether windows open with their first request, so that a reset in whole
   * seconds can be read more exactly: found to be so, not so, or unknown.
   */
  readonly firstHit: boolean | undefined;
  /** Requests per second that come back steadily, 0 where unknown. */
  readonly refill: number;
  /** Where the measuring of `refill` started. */
  readonly mark: Mark;
  /** How often more came back than a window gives before its reset. */
  readonly returns: number;
  /** Requests that are left alone, as the headers lag behind by so many. */
  readonly reserve: number;
  /** How often the server refused what this quota allowed. */
  readonly contradictions: number;
  /** Answers since that told of other limits only. */
  readonly silent: number;
}

/** One reading of a bucket. */
interface Mark {
  readonly remaining: number;
  readonly at: number;
  /** Requests answered by then. */
  readonly done: number;
  /** Requests in flight then, of which the server had some already. */
  readonly inFlight: number;
}

/** What else is known where a quota is read. */
export interface Situation {
  readonly now: number;
  readonly sent: number;
  readonly inFlight: number;
}

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
/** Early returns that show a window to be a bucket. */
const RETURNS = 2;
/** Answers that tell of others only, after which a quota is forgotten. */
const SILENT = 64;
/** Quotas that are kept at the most. */
const MOST = 16;
/** Contradictions after which a quota is not the only limit for sure. */
const DISTRUST = 2;

/** All quotas after an answer that told `readings`. */
export function readQuotas(
  quotas: readonly Quota[],
  readings: readonly LimitReading[],
  permit: Permit,
  situation: Situation,
  refused: boolean,
): readonly Quota[] {
  if (readings.length === 0) return quotas;
  const next: Quota[] = [];
  for (const quota of quotas) {
    const reading = readings.find(({ id }) => id === quota.id);
    if (reading?.remaining !== undefined) {
      next.push(updateQuota(quota, reading, permit, situation, refused));
    } else if (quota.silent < SILENT) {
      next.push({ ...quota, silent: quota.silent + 1 });
    }
  }
  for (const reading of readings) {
    if (next.length >= MOST) break;
    if (reading.remaining === undefined) continue;
    if (next.some(({ id }) => id === reading.id)) continue;
    next.push(newQuota(reading, permit, situation));
  }
  return next;
}

function newQuota(
  reading: LimitReading,
  permit: Permit,
  { now, sent, inFlight }: Situation,
): Quota {
  const remaining = reading.remaining!;
  const steady = reading.rate !== undefined || reading.reset === undefined;
  const quota: Quota = {
    id: reading.id,
    kind: steady ? "bucket" : "window",
    counted: reading.counted,
    limit: reading.limit ?? remaining + 1,
    remaining,
    at: now,
    resetAt: undefined,
    guessed: false,
    firstHit: undefined,
    refill: reading.rate ?? 0,
    mark: { remaining, at: permit.at, done: sent - inFlight, inFlight },
    returns: 0,
    reserve: 0,
    contradictions: 0,
    silent: 0,
  };
  return steady ? quota : { ...quota, ...resetOf(quota, reading, permit, now) };
}

function updateQuota(
  before: Quota,
  reading: LimitReading,
  permit: Permit,
  situation: Situation,
  refused: boolean,
): Quota {
  const remaining = reading.remaining!;
  const limit = reading.limit ?? Math.max(before.limit, remaining + 1);
  const quota = { ...before, limit, silent: 0 };
  if (quota.kind === "bucket") {
    return updateBucket(quota, remaining, reading.rate, permit, situation);
  }
  return updateWindow(quota, reading, permit, situation, refused);
}

/** When a window ends, by what the answer to `permit` says. */
function resetOf(
  { limit, firstHit }: Quota,
  { remaining, reset, instant, precision }: LimitReading,
  permit: Permit,
  now: number,
): Pick<Quota, "resetAt" | "guessed"> {
  if (reset === undefined) return { resetAt: undefined, guessed: false };
  // The window opened when its first request came: whole seconds before.
  const exact = remaining === limit - 1 && instant && precision === 1 &&
    reset >= 1 && firstHit !== false &&
    (firstHit || Math.round(now + reset) % 60 !== 0);
  return exact
    ? {
      resetAt: permit.at + Math.floor(reset + (now - permit.at)),
      guessed: !firstHit,
    }
    : { resetAt: now + reset, guessed: false };
}

function updateWindow(
  quota: Quota,
  reading: LimitReading,
  permit: Permit,
  situation: Situation,
  refused: boolean,
): Quota {
  const { now } = situation;
  const remaining = reading.remaining!;
  const over = quota.resetAt === undefined;
  const firstHit = over && quota.guessed && !refused
    ? remaining === quota.limit - 1
    : quota.firstHit;
  const late = overtaken(permit, situation);
  const told = resetOf({ ...quota, firstHit }, reading, permit, now);
  const most = quota.remaining + (over ? 0 : late);
  if (!over && remaining <= most) {
    return {
      ...quota,
      remaining: Math.min(remaining, quota.remaining),
      at: now,
      // Each word is late or rounded up: the earliest is the most exact.
      resetAt: Math.min(told.resetAt ?? Infinity, quota.resetAt!),
    };
  }
  const full = remaining >= quota.limit - 1 - late;
  const returns = full ? quota.returns : quota.returns + 1;
  if (returns >= RETURNS) {
    const mark = markOf(remaining, permit, situation);
    return {
      ...quota,
      kind: "bucket",
      remaining,
      at: now,
      resetAt: undefined,
      mark,
      refill: 0,
    };
  }
  return { ...quota, firstHit, returns, remaining, at: now, ...told };
}

function markOf(
  remaining: number,
  permit: Permit,
  { sent, inFlight }: Situation,
): Mark {
  return { remaining, at: permit.at, done: sent - inFlight, inFlight };
}

function updateBucket(
  quota: Quota,
  remaining: number,
  told: number | undefined,
  permit: Permit,
  situation: Situation,
): Quota {
  const { now, inFlight } = situation;
  const mark = markOf(remaining, permit, situation);
  const start = { ...quota, remaining, at: now, mark };
  const seconds = permit.at - quota.mark.at;
  if (quota.refill === 0 && told === undefined) {
    // The least that was told counts, until more comes back than overtaking explains.
    if (remaining <= quota.remaining) return start;
    const proven = remaining - quota.remaining - overtaken(permit, situation);
    if (proven <= 0 || seconds < USABLE) return quota;
    // All that was under way may have been counted before.
    const least = {
      ...quota.mark,
      done: quota.mark.done + quota.mark.inFlight,
    };
    const refill = CAUTION *
      Math.max(proven / seconds, measureRefill(least, mark, seconds));
    return { ...start, remaining: remaining - inFlight, refill };
  }
  // Answers overtake each other by as much as they take.
  const long = seconds >= Math.max(MEASURE, (now - permit.at) * OVERTAKING);
  const refill = told ??
    (long ? correctRefill(quota, mark, seconds) : quota.refill);
  // What is under way takes its share, and the bucket is refilled meanwhile.
  const seen = remaining - inFlight + refill * (now - permit.at);
  const expected = levelAt(quota, now);
  const gain = seen > expected ? GAIN_UP : GAIN_DOWN;
  return {
    ...quota,
    at: now,
    // One word alone does not change much.
    remaining: expected + (seen - expected) * gain,
    refill,
    mark: long ? mark : quota.mark,
  };
}

/** A full bucket takes nothing back: then more may be asked of it. */
function correctRefill(quota: Quota, mark: Mark, seconds: number): number {
  const measured = measureRefill(quota.mark, mark, seconds);
  return mark.remaining >= quota.limit - 1
    ? Math.max(measured, quota.refill * FULL_GROWTH)
    : (quota.refill + measured) / 2;
}

/** What came back since the measuring started, over the time since. */
function measureRefill(from: Mark, mark: Mark, seconds: number): number {
  const returned = mark.remaining - from.remaining + mark.done - from.done;
  return Math.max(0, returned / seconds);
}

/** How many requests, at the most, the server had before this one's answer came. */
function overtaken(permit: Permit, { sent }: Situation): number {
  return sent - permit.number + permit.inFlight;
}

function levelAt({ remaining, limit, refill, at }: Quota, now: number): number {
  return Math.min(limit, remaining + refill * (now - at));
}

/** One request goes. */
export function spendQuota(quota: Quota, now: number): Quota {
  if (quota.kind === "window" || quota.refill === 0) return quota;
  return { ...quota, remaining: levelAt(quota, now) - 1, at: now };
}

/** Whether a window is over by `now`. */
export function isOver({ kind, resetAt }: Quota, now: number): boolean {
  return kind === "window" && resetAt !== undefined && resetAt <= now;
}

/** The window is over: its first answer will tell how long the next one lasts. */
export function renewQuota(quota: Quota): Quota {
  return { ...quota, remaining: quota.limit, resetAt: undefined };
}

/** Requests left that nobody in flight is about to take. */
export function leftOf(quota: Quota, { now, inFlight }: Situation): number {
  return quota.kind === "bucket" && quota.refill > 0
    ? levelAt(quota, now) - quota.reserve
    : quota.remaining - quota.reserve - inFlight;
}

/** Seconds until something is known to be left; `Infinity`: until an answer. */
export function quotaWait(quota: Quota, situation: Situation): number {
  const { now, inFlight } = situation;
  const { resetAt, refill, limit, remaining } = quota;
  if (!quota.counted) {
    return remaining <= 0 && resetAt !== undefined ? resetAt - now : 0;
  }
  if (quota.kind === "bucket" && refill > 0) {
    const reserve = limit < 2 * RESERVE ? 0 : RESERVE;
    const level = levelAt(quota, now) - Math.max(reserve, quota.reserve);
    const batch = Math.max(1, Math.min(refill * BATCH, limit / 10));
    return level >= 1 ? 0 : (batch - level) / refill;
  }
  if (leftOf(quota, situation) >= 1) return 0;
  if (resetAt !== undefined) return resetAt - now;
  return inFlight > 0 ? Infinity : quota.at + LOOK - now;
}

/** Whether a refusal is this quota's: it had next to nothing left. */
export function explains(quota: Quota, situation: Situation): boolean {
  return quota.counted
    ? leftOf(quota, situation) < 2 + quota.limit / 10
    : quota.remaining <= 0;
}

/** Whether the headers alone can lead: they count requests, and were right so far. */
export function leads({ counted, contradictions }: Quota): boolean {
  return counted && contradictions < DISTRUST;
}

/** All that lay ahead stays as far ahead of a clock that was set back. */
export function shiftQuota(quota: Quota, seconds: number): Quota {
  const { resetAt } = quota;
  return {
    ...quota,
    at: quota.at - seconds,
    resetAt: resetAt === undefined ? undefined : resetAt - seconds,
    mark: { ...quota.mark, at: quota.mark.at - seconds },
  };
}

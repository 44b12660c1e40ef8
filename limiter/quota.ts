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
  /** Whether a window has ended, and nothing of the next one was read yet. */
  readonly isOver: boolean;
  /** Whether `resetAt` is a guess that one request has to confirm. */
  readonly guessed: boolean;
  /**
   * Whether windows open with their first request, so that a reset in whole
   * seconds can be read more exactly: found to be so, not so, or unknown.
   */
  readonly firstHit: boolean | undefined;
  /** Requests per second that come back steadily, 0 where unknown. */
  readonly refill: number;
  /** Whether the server says so: else it was measured. */
  readonly isTold: boolean;
  /** Where the measuring of `refill` started. */
  readonly mark: Mark;
  /** When it was last read. */
  readonly readAt: number;
  /** The longest reset that was told, in seconds; 0 where none was. */
  readonly longest: number;
  /** Whether resets are told in whole seconds, or coarser. */
  readonly rounded: boolean;
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
  /** Requests accepted by then. */
  readonly accepted: number;
  /** Requests in flight then, of which the server may have counted some. */
  readonly inFlight: number;
}

/** What else is known where a quota is read. */
export interface Situation {
  readonly now: number;
  readonly sent: number;
  readonly sentAt: number;
  readonly accepted: number;
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
/** Requests, and part of all, that have to come back early to show a bucket. */
const RETURNED = 2;
const RETURNED_PART = 0.05;
/** The longest time between two looks at a refill that was measured, in seconds. */
const LONGEST_LOOK = 2;
/** Answers that tell of others only, after which a quota is forgotten. */
const SILENT = 64;
/** The longest reset in whole seconds that is too coarse, with some allowance. */
const COARSE = 2.2;
/** The smallest limit of which a part that is left tells anything. */
const SMALL = 5;
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
  situation: Situation,
): Quota {
  const { now } = situation;
  const remaining = reading.remaining!;
  const quota: Quota = {
    id: reading.id,
    kind: reading.rate === undefined ? "window" : "bucket",
    counted: reading.counted,
    limit: reading.limit ?? remaining + 1,
    remaining,
    at: now,
    readAt: now,
    longest: reading.reset ?? 0,
    // Of a window that has just opened, whole seconds are all that there is.
    rounded: reading.precision >= 1 &&
      !(remaining === reading.limit! - 1 && reading.reset === reading.window),
    resetAt: undefined,
    isOver: false,
    guessed: false,
    firstHit: undefined,
    refill: reading.rate ?? 0,
    isTold: reading.rate !== undefined,
    mark: markOf(remaining, permit, situation),
    reserve: 0,
    contradictions: 0,
    silent: 0,
  };
  return quota.kind === "bucket"
    ? quota
    : { ...quota, ...resetOf(quota, reading, permit, now) };
}

function updateQuota(
  before: Quota,
  reading: LimitReading,
  permit: Permit,
  situation: Situation,
  refused: boolean,
): Quota {
  const limit = reading.limit ??
    Math.max(before.limit, reading.remaining! + 1);
  const quota = {
    ...before,
    limit,
    silent: 0,
    readAt: situation.now,
    longest: Math.max(before.longest, reading.reset ?? 0),
  };
  return quota.kind === "bucket"
    ? updateBucket(quota, reading, permit, situation)
    : updateWindow(quota, reading, permit, situation, refused);
}

/** When a window ends, by what the answer to `permit` says. */
function resetOf(
  { limit, firstHit }: Quota,
  { remaining, reset, instant, precision, limit: told }: LimitReading,
  permit: Permit,
  now: number,
): Pick<Quota, "resetAt" | "guessed"> {
  if (reset === undefined) return { resetAt: undefined, guessed: false };
  // The window opened when its first request came: whole seconds before.
  const exact = told !== undefined && remaining === limit - 1 && instant &&
    precision === 1 &&
    wholeSeconds(reset, now - permit.at) >= 1 && firstHit !== false &&
    (firstHit || Math.round(now + reset) % 60 !== 0);
  return exact
    ? {
      // It opened when the request came, at the latest now.
      resetAt: now + wholeSeconds(reset, now - permit.at),
      guessed: !firstHit,
    }
    : { resetAt: now + reset, guessed: false };
}

/**
 * The length of a window that opened with the request whose answer took
 * `elapsed` seconds and told a `reset`, which is rounded up.
 */
function wholeSeconds(reset: number, elapsed: number): number {
  // Two whole seconds of the server's clock, where `Date` was rounded down.
  return Number.isInteger(reset) ? reset - 1 : Math.floor(reset + elapsed);
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
  const mark = markOf(remaining, permit, situation);
  const { isOver: over } = quota;
  const firstHit = over && quota.guessed && !refused
    ? remaining === quota.limit - 1
    : quota.firstHit;
  const told = resetOf({ ...quota, firstHit }, reading, permit, now);
  const opened = { ...quota, firstHit, remaining, at: now, mark, ...told };
  if (over) return { ...opened, isOver: false };
  const late = overtaken(permit, situation);
  const fresh = remaining > quota.remaining + late &&
    remaining >= quota.limit - 1 - late;
  if (fresh) return opened;
  // Answers that were overtaken tell of more than there is.
  const returned = returnedSince(quota.mark, mark) - quota.mark.inFlight - late;
  // A window's end stands still; that of a bucket moves on with what is taken.
  const moved = told.resetAt !== undefined && quota.resetAt !== undefined &&
    told.resetAt > quota.resetAt + 2 * reading.precision + (now - permit.at);
  if (
    moved || returned >= Math.max(RETURNED, quota.limit * RETURNED_PART)
  ) {
    const seconds = Math.max(permit.at - quota.mark.at, MEASURE);
    const refill = CAUTION * Math.max(0, returned) / seconds;
    return {
      ...quota,
      kind: "bucket",
      resetAt: undefined,
      remaining: remaining - situation.inFlight,
      at: now,
      mark,
      refill,
    };
  }
  // Each word is late or rounded up: the earliest is the most exact.
  const resetAt = told.resetAt === undefined
    ? quota.resetAt
    : Math.min(told.resetAt, quota.resetAt ?? Infinity);
  return {
    ...quota,
    remaining: Math.min(remaining, quota.remaining),
    at: now,
    resetAt,
  };
}

function markOf(
  remaining: number,
  permit: Permit,
  { accepted, inFlight }: Situation,
): Mark {
  return { remaining, at: permit.at, accepted, inFlight };
}

/** What came back, whether it was used meanwhile or not. */
function returnedSince(from: Mark, mark: Mark): number {
  return mark.remaining - from.remaining + mark.accepted - from.accepted;
}

function updateBucket(
  quota: Quota,
  { remaining: told, rate }: LimitReading,
  permit: Permit,
  situation: Situation,
): Quota {
  const { now, inFlight } = situation;
  const remaining = told!;
  const mark = markOf(remaining, permit, situation);
  const seconds = permit.at - quota.mark.at;
  // Answers overtake each other by as much as they take.
  const long = seconds >= Math.max(MEASURE, (now - permit.at) * OVERTAKING);
  const refill = rate ??
    (long ? correctRefill(quota, mark, seconds) : quota.refill);
  // What is under way takes its share, and the bucket is refilled meanwhile.
  const seen = remaining - inFlight + refill * (now - permit.at);
  const expected = levelAt(quota, now);
  const gain = Math.max(
    seen > expected ? GAIN_UP : GAIN_DOWN,
    // Nothing was overtaken where little is under way.
    0.5 / (1 + 4 * inFlight),
  );
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
  const measured = Math.max(0, returnedSince(quota.mark, mark) / seconds);
  if (mark.remaining < quota.limit - 1) return (quota.refill + measured) / 2;
  // ... if about as much was asked for as is known to come back.
  const asked = (mark.accepted - quota.mark.accepted) / seconds;
  return asked * FULL_GROWTH < quota.refill
    ? quota.refill
    : Math.max(measured, quota.refill * FULL_GROWTH);
}

/** How many requests, at the most, the server had before this one's answer came. */
function overtaken(permit: Permit, { sent }: Situation): number {
  return sent - permit.number + permit.inFlight;
}

function levelAt({ remaining, limit, refill, at }: Quota, now: number): number {
  return Math.min(limit, remaining + refill * (now - at));
}

/** One was accepted, and its answer told nothing. */
export function countDown(quota: Quota): Quota {
  return quota.kind === "window" && quota.counted
    ? { ...quota, remaining: Math.max(0, quota.remaining - 1) }
    : quota;
}

/** One request goes. */
export function spendQuota(quota: Quota, now: number): Quota {
  if (quota.kind === "window" || quota.refill === 0) return quota;
  return { ...quota, remaining: levelAt(quota, now) - 1, at: now };
}

/** Whether a window ends by `now`. */
export function endsBy({ kind, resetAt }: Quota, now: number): boolean {
  return kind === "window" && resetAt !== undefined && resetAt <= now;
}

/** The window is over: its first answer will tell how long the next one lasts. */
export function renewQuota(quota: Quota): Quota {
  return { ...quota, remaining: quota.limit, resetAt: undefined, isOver: true };
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
    // What was measured may have been wrong: it is looked at from time to time.
    const look = lookIn(quota, situation, LONGEST_LOOK);
    return level >= 1 ? 0 : Math.min((batch - level) / refill, look);
  }
  if (leftOf(quota, situation) >= 1) return 0;
  if (resetAt !== undefined) return resetAt - now;
  return inFlight > 0 ? Infinity : lookIn(quota, situation, LOOK);
}

/** Seconds until one request looks what is left, if there is one every `seconds`. */
function lookIn(
  { readAt }: Quota,
  { now, sentAt }: Situation,
  seconds: number,
): number {
  return Math.max(0, Math.max(readAt, sentAt) + seconds - now);
}

/**
 * Whether its resets are too coarse to be the time of anything: in whole
 * seconds, and never more than two.
 */
export function isCoarse({ kind, longest, rounded }: Quota): boolean {
  return kind === "window" && rounded && longest > 0 && longest <= COARSE;
}

/** Whether what is left of it tells how much faster would do. */
export function hasLevel({ limit, counted, contradictions }: Quota): boolean {
  return limit >= SMALL && counted && contradictions < DISTRUST;
}

/** The part of it that is left. */
export function shareLeft({ remaining, limit }: Quota): number {
  return Math.max(0, Math.min(1, remaining / limit));
}

/**
 * Whether a refusal is this quota's: it had next to nothing left, and the
 * refusal itself does not say otherwise.
 */
export function explains(
  quota: Quota,
  situation: Situation,
  refusal: readonly LimitReading[],
): boolean {
  if (!quota.counted) return quota.remaining <= 0;
  const little = 2 + quota.limit / 10;
  const own = refusal.find(({ id }) => id === quota.id)?.remaining;
  return leftOf(quota, situation) < little && (own ?? 0) < little;
}

/** Whether the server says when there will be more. */
export function tellsWhen({ resetAt, isOver, isTold }: Quota): boolean {
  return resetAt !== undefined || isOver || isTold;
}

/** The server refused what it allowed, or what was only measured. */
export function contradict(quota: Quota): Quota {
  return {
    ...quota,
    contradictions: quota.contradictions + 1,
    refill: quota.isTold ? quota.refill : quota.refill * CAUTION,
  };
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
    readAt: quota.readAt - seconds,
    resetAt: resetAt === undefined ? undefined : resetAt - seconds,
    mark: { ...quota.mark, at: quota.mark.at - seconds },
  };
}

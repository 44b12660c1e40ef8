/**
 * Knows when the next request may go: what a server has said and done about
 * its limit so far, in one plain object, and how that changes. Pure: no clock,
 * no timer, no queue.
 *
 * @module
 */

import { type Crowd, isOutage, learnCrowd, NO_CROWD } from "./crowd.ts";
import { isRateLimit } from "../http/failure.ts";
import { toHeaders } from "../http/headers.ts";
import {
  BATCH,
  LONGEST_PAUSE,
  type Quota,
  quotaWait,
  readQuota,
  renewQuota,
  spendQuota,
  type Told,
  type Turn,
  updateQuota,
} from "./quota.ts";
import { serverDelay } from "../retry_after.ts";

/** What is known of a server's limit. Times are seconds since the epoch. */
export interface Pace {
  /** The latest time seen; a clock behind it was set back. */
  readonly clock: number;
  /** How many requests have been sent: the last one's number. */
  readonly sent: number;
  /** When the last one was sent. */
  readonly sentAt: number;
  /** Requests up to this number were sent before the last change of course. */
  readonly reaction: number;
  /** Requests after `reaction` that have not been answered. */
  readonly pending: number;
  /** Nobody goes before. */
  readonly resumeAt: number;
  /** Whether one request has to try the gate, is trying it, or has passed. */
  readonly gate: "untried" | "trying" | "open";
  /** When a trial that was not answered counts as passed. */
  readonly trialUntil: number;
  /** The pace, in requests per second; `Infinity` where none is kept. */
  readonly rate: number;
  /** How many requests may go at once when none have gone for a while. */
  readonly burst: number;
  /** Requests that may go now; grows by `rate` up to `burst`. */
  readonly tokens: number;
  /** When `tokens` was right. */
  readonly tokensAt: number;
  /** How `rate` came to be, and so how it may change. */
  readonly source: "given" | "ramp" | "learned";
  /** Requests accepted since `emptyAt` that were sent before `reaction`. */
  readonly accepted: number;
  /** When the server's bucket was last known to be empty, or the start. */
  readonly emptyAt: number;
  /** When the gate was closed by the first of a row of refusals. */
  readonly closedAt: number;
  /** What the server says is left, where it says so. */
  readonly quota?: Quota | undefined;
  /** How often the server refused what its own headers allowed. */
  readonly lies: number;
  /**
   * Whether windows open with their first request, so that a reset in whole
   * seconds can be read more exactly: found to be so, not so, or unknown.
   */
  readonly firstHit?: boolean | undefined;
  /** How many requests at once the server bears. */
  readonly crowd: Crowd;
}

/** What a server answered, by any client. */
interface Answer {
  readonly status: number;
  readonly headers?: unknown;
}

/** Where nothing is known: fast enough for most, slow enough to notice. */
const RAMP_RATE = 500;
/** Requests that go before the ramp keeps a pace: a page of an application. */
const RAMP_BURST = 24;
/** Seconds in which the ramp doubles. */
const RAMP_DOUBLING = 0.05;
/** Above, there is no point in keeping a pace. */
const RAMP_END = 1e5;
/** A learned pace stays this far under what was measured. */
const MARGIN = 0.98;
/** ... and of the pace that was refused where the pause spoils the measurement. */
const BACK_OFF = 0.85;
/** Growth of a learned pace, per second and second since it was learned. */
const GROWTH = 0.06;
/** ... but no faster than this, per second. */
const FASTEST_GROWTH = 1;
/** The first measurement is an upper bound: the bucket was full at the start. */
const FIRST_GUESS = 0.6;
/** Part of the ramp's pace where it was refused before anything was measured. */
const NO_GUESS = 0.125;
/** Part of a pace that is refused again before anything was measured. */
const DECREASE = 0.7;
/** The slowest pace that is learned, in requests per second. */
const SLOWEST = 0.5;
/** Accepted requests that make a measurement. */
const ENOUGH = 10;
/** Seconds of silence after a refusal that names no time. */
const SHORT_PAUSE = 0.05;
/** Part of the time since the first refusal until the gate is tried again. */
const LOOK_AGAIN = 0.25;
/** Seconds after which a trial that was not answered holds nobody back. */
const TRIAL = 1;
/** How often headers may lie before they are not read any more. */
const BELIEF = 2;

/** Seconds that an instant in seconds since the epoch is exact to, and then some. */
const PRECISION = 1e-6;

/** The state of a limiter that is told a rate, and keeps to it. */
export function givenPace(now: number, rate: number, burst: number): Pace {
  return {
    clock: now,
    sent: 0,
    sentAt: 0,
    reaction: 0,
    pending: 0,
    resumeAt: 0,
    gate: "open",
    trialUntil: 0,
    rate,
    burst,
    tokens: burst,
    tokensAt: now,
    source: "given",
    accepted: 0,
    emptyAt: now,
    closedAt: 0,
    lies: 0,
    crowd: NO_CROWD,
  };
}

/** The state of a limiter that has seen nothing: its first request goes alone. */
export function unknownPace(now: number): Pace {
  const pace = givenPace(now, Infinity, RAMP_BURST);
  return { ...pace, source: "ramp", gate: "untried" };
}

/** Seconds until the next request may go, in a state that is up to date; 0: now. */
export function waitTime(pace: Pace): number {
  const seconds = wait(pace);
  return seconds < PRECISION ? 0 : seconds;
}

function wait(pace: Pace): number {
  const { clock: now, quota, sentAt, pending } = pace;
  if (pace.resumeAt > now) return pace.resumeAt - now;
  if (pace.gate === "untried") return 0;
  const trial = pace.gate === "trying" ? pace.trialUntil - now : 0;
  if (trial > 0 && pace.rate === Infinity) return trial;
  const forQuota = quota ? quotaWait(quota, now, sentAt, pending, TRIAL) : 0;
  return Math.max(forQuota, tokenWait(pace));
}

function tokenWait({ tokens, rate, burst, source }: Pace): number {
  if (tokens >= 1) return 0;
  return ((source === "learned" ? burst : 1) - tokens) / rate;
}

/** Brings the state up to date: a window may be over, the clock set back. */
export function follow(pace: Pace, now: number): Pace {
  const back = pace.clock - now;
  if (back > 0) return setBack(pace, back);
  const renewed = pace.quota?.resetAt !== undefined &&
    pace.quota.resetAt <= now;
  const seconds = Math.max(0, now - pace.tokensAt);
  const rate = renewed ? windowRate(pace) : pace.rate;
  const current: Pace = {
    ...pace,
    clock: now,
    rate,
    tokens: rate === Infinity
      ? pace.burst
      : Math.min(pace.burst, pace.tokens + rate * seconds),
    tokensAt: Math.max(now, pace.tokensAt),
  };
  return renewed
    ? close({ ...current, quota: renewQuota(pace.quota!) }, now)
    : current;
}

/** How a window is entered until its first answer: as if it were spread evenly. */
function windowRate({ quota, rate, source, firstHit }: Pace): number {
  if (source === "given") return rate;
  const { limit, window, guessed } = quota!;
  const certain = !guessed || firstHit;
  return certain && window > 0 ? limit / window : Infinity;
}

/** All that lay ahead stays as far ahead. */
function setBack(pace: Pace, seconds: number): Pace {
  const { quota } = pace;
  return {
    ...pace,
    clock: pace.clock - seconds,
    sentAt: pace.sentAt - seconds,
    resumeAt: pace.resumeAt - seconds,
    trialUntil: pace.trialUntil - seconds,
    tokensAt: pace.tokensAt - seconds,
    emptyAt: pace.emptyAt - seconds,
    closedAt: pace.closedAt - seconds,
    ...quota && {
      quota: {
        ...quota,
        resetAt: quota.resetAt && quota.resetAt - seconds,
        at: quota.at - seconds,
        from: { ...quota.from, at: quota.from.at - seconds },
      },
    },
  };
}

/** One request goes, with `crowd` under way. */
export function send(
  before: Pace,
  now: number,
  crowd: number,
): { pace: Pace; turn: Turn } {
  const pace = follow(before, now);
  const number = pace.sent + 1;
  const trying = pace.gate === "untried";
  const passed = pace.gate === "trying" && now >= pace.trialUntil;
  return {
    turn: { number, at: now, crowd },
    pace: {
      ...passed ? open(pace) : pace,
      sent: number,
      sentAt: now,
      pending: pace.pending + 1,
      tokens: Math.max(0, pace.tokens - 1),
      ...trying && { gate: "trying", trialUntil: now + TRIAL },
      ...pace.source === "ramp" && pace.tokens < 2 && { rate: ramp(pace.rate) },
      ...pace.quota && { quota: spendQuota(pace.quota, now) },
    },
  };
}

function ramp(rate: number): number {
  const faster = rate * 2 ** (1 / (rate * RAMP_DOUBLING));
  return faster > RAMP_END ? Infinity : faster;
}

/** The gate was tried: headers tell how to go on, or else a ramp finds out. */
export function open(pace: Pace): Pace {
  if (pace.gate === "open") return pace;
  const opened: Pace = { ...pace, gate: "open" };
  if (pace.source === "given") return opened;
  if (pace.quota) return { ...opened, rate: Infinity };
  const unknown = pace.source === "ramp" && pace.rate === Infinity;
  return unknown
    ? { ...opened, rate: RAMP_RATE, burst: RAMP_BURST, tokens: RAMP_BURST }
    : opened;
}

/** The gate is closed, and what is under way belongs to the past. */
function close(pace: Pace, resumeAt: number): Pace {
  return {
    ...pace,
    resumeAt: Math.max(pace.resumeAt, resumeAt),
    gate: "untried",
    reaction: pace.sent,
    pending: 0,
    tokens: 0,
    tokensAt: Math.max(pace.resumeAt, resumeAt),
  };
}

/** A turn ended without an answer: its connection broke, or nobody tells. */
export function forget(before: Pace, now: number, turn: Turn): Pace {
  const pace = follow(before, now);
  if (turn.number <= pace.reaction) return pace;
  const { quota, pending } = pace;
  // The server may have counted it.
  const spent = quota && { ...quota, remaining: quota.remaining - 1 };
  return open({ ...pace, pending: pending - 1, quota: spent });
}

/** A request was answered, one of `crowd` under way until then. */
export function learn(
  before: Pace,
  now: number,
  turn: Turn,
  { status, headers: given }: Answer,
  crowd: number,
): Pace {
  let pace = follow(before, now);
  const headers = toHeaders(given) ?? new Headers();
  // What was sent before the last change of course belongs to what caused it.
  const fresh = turn.number > pace.reaction;
  if (fresh) pace = { ...pace, pending: pace.pending - 1 };
  const asked = Math.min(
    serverDelay(headers, { now: now * 1000 }) ?? 0,
    LONGEST_PAUSE,
  );
  const told = readQuota(headers, now);
  // It met all those that went before it, and those that are still under way.
  const size = Math.max(turn.crowd, crowd);
  pace = {
    ...pace,
    crowd: learnCrowd(pace.crowd, status === 503, asked > 0, {
      size,
      number: turn.number,
      sent: pace.sent,
    }),
  };
  if (isRateLimit(status, headers)) {
    return fresh
      ? refused(pace, now, turn, asked, told)
      : { ...pace, resumeAt: Math.max(pace.resumeAt, now + asked) };
  }
  if (isOutage(pace.crowd)) return close(pace, now + asked);
  if (!fresh) {
    return turn.at > pace.emptyAt
      ? { ...pace, accepted: pace.accepted + 1 }
      : pace;
  }
  if (told && pace.lies < BELIEF) pace = believe(pace, now, turn, told);
  return grow(open(pace), turn);
}

function believe(pace: Pace, now: number, turn: Turn, told: Told): Pace {
  const { quota, pending } = pace;
  const opening = quota?.guessed && quota.resetAt === Infinity;
  const firstHit = opening ? told.remaining === quota.limit - 1 : pace.firstHit;
  return {
    ...pace,
    firstHit,
    quota: updateQuota(quota, told, turn, now, pace.sent, pending, firstHit),
  };
}

/** A step for each request that went at this pace: time alone proves nothing. */
function grow(pace: Pace, turn: Turn): Pace {
  if (pace.source !== "learned" || pace.rate === Infinity) return pace;
  const growth = Math.min(GROWTH * (turn.at - pace.emptyAt), FASTEST_GROWTH);
  return { ...pace, rate: pace.rate + Math.max(0, growth) };
}

/** A refusal changes the course of everybody. */
function refused(
  pace: Pace,
  now: number,
  turn: Turn,
  asked: number,
  told: Told | undefined,
): Pace {
  const trial = turn.number === pace.reaction + 1;
  // Still closed: the longer it has been, the longer until the next look.
  const again = trial ? (now - pace.closedAt) * LOOK_AGAIN : 0;
  const closed = close(pace, now + (asked || Math.max(SHORT_PAUSE, again)));
  const { quota } = pace;
  if (quota || told) return doubt(closed, quota, pace.pending);
  if (pace.source === "given" || trial && pace.source === "learned") {
    return closed;
  }
  const accepted = pace.accepted + turn.number - 1 - pace.reaction;
  return measure({ ...closed, accepted, closedAt: now }, turn, asked);
}

/** The headers allowed what was refused: they lie, or were guessed at. */
function doubt(pace: Pace, quota: Quota | undefined, pending: number): Pace {
  const { quota: _, ...rest } = pace;
  if (quota?.guessed) return { ...rest, firstHit: false };
  const lie = quota !== undefined && quota.remaining > pending + 1;
  return { ...rest, lies: pace.lies + Number(lie) };
}

/** What was accepted between two refusals, over the time between, is the rate. */
function measure(pace: Pace, turn: Turn, asked: number): Pace {
  const { accepted, source, rate } = pace;
  const seconds = Math.max(turn.at - pace.emptyAt, 0.001);
  if (source === "ramp") {
    if (accepted < ENOUGH) {
      return restart(pace, turn, Math.min(rate, RAMP_RATE) * NO_GUESS);
    }
    return restart(
      pace,
      turn,
      asked ? accepted / (seconds + asked) : accepted / seconds * FIRST_GUESS,
    );
  }
  if (accepted < ENOUGH) {
    return { ...pace, rate: Math.max(rate * DECREASE, SLOWEST) };
  }
  const measured = accepted / seconds * MARGIN;
  // A pause that the server named may have been longer than needed.
  return restart(
    pace,
    turn,
    asked ? Math.max(measured, rate * BACK_OFF) : measured,
  );
}

function restart(pace: Pace, turn: Turn, rate: number): Pace {
  return {
    ...pace,
    source: "learned",
    rate,
    burst: Math.max(1, rate * BATCH),
    accepted: 0,
    emptyAt: turn.at,
  };
}

/**
 * The model of a server's limit: everything that is known of it, as one plain
 * object of named parts. Times are seconds since the epoch, or seconds.
 *
 *     answer -> epoch      does it speak of the present, or of before the last change?
 *            -> circuit    flowing, cooldown (nobody goes), probing (one goes)
 *            -> estimate   rate and burst, from what was accepted and refused
 *               quotas     what the headers say is left, one for each limit named
 *               concurrency how many at once the server bears
 *            -> wait       the longest of what each of them asks for
 *
 * @module
 */

import type { LimitReading } from "../http/dialects.ts";
import { type Concurrency, NO_CONCURRENCY_LIMIT } from "./concurrency.ts";
import type { Quota } from "./quota.ts";

/** A request that was let go. */
export interface Permit {
  /** Its number: the first is 1. */
  readonly number: number;
  /** When it went. */
  readonly at: number;
  /** How many were under way with it, itself included. */
  readonly inFlight: number;
  /** Whether the bucket was what it had waited for: only then it tests the rate. */
  readonly paced: boolean;
}

/** What became of a request. */
export interface Outcome {
  /** `failed`: the server or the network, not this request, was at fault. */
  readonly kind: "accepted" | "refused" | "failed" | "lost";
  /** Seconds that the server asked for; 0: it named no time. */
  readonly asked: number;
  /** What its headers tell. */
  readonly limits: readonly LimitReading[];
}

/** Whose matter an outcome is: nobody's, the limiter's, or its own call's. */
export type Verdict = "accepted" | "refused" | "outage" | "own";

/** Which answers still speak of the present. */
export interface Epoch {
  /** Permits up to this number went before the last change of course. */
  readonly number: number;
  /** Accepted since, of those that went before: then it was no refusal of all. */
  readonly laterAccepted: number;
  /** Refused since, of those that went before. */
  readonly laterRefused: number;
}

/** Whether requests flow. */
export interface Circuit {
  readonly phase: "flowing" | "cooldown" | "probing";
  /** Why it is not flowing: only a refusal teaches the rate. */
  readonly cause: "refusal" | "outage" | "reset";
  /** Whether it was a 503 or the like, which may have been a single failure. */
  readonly doubtful: boolean;
  /** Nobody goes before. */
  readonly resumeAt: number;
  /** The number of the permit that probes. */
  readonly probe: number;
  /** When a probe without an answer holds nobody back any more. */
  readonly probeUntil: number;
  /** Probes that failed in a row. */
  readonly failures: number;
  /** When the first of the row of refusals had been sent. */
  readonly since: number;
  /** Its number. */
  readonly number: number;
  /** How many had been under way with it. */
  readonly inFlight: number;
  /** When the last probe that failed had been sent. */
  readonly failedAt: number;
  /** The longest time that the server named in this row, in seconds; 0: none. */
  readonly named: number;
}

/** A window that locks out, as its ends were found without being told. */
export interface LockOut {
  /** When the present one opened: its first request went. */
  readonly openedAt: number;
  /** How many it let in the last time; 0: none was seen. */
  readonly count: number;
  /** Seconds after its opening at which it was still closed. */
  readonly least: number;
  /** Seconds after its opening at which it was open again. */
  readonly most: number;
}

/** The token bucket that paces requests: it mirrors the server's. */
export interface Bucket {
  /** Requests per second; `Infinity` while nothing was refused. */
  readonly rate: number;
  /** How many tokens it holds at the most. */
  readonly burst: number;
  /** Requests that may go now. */
  readonly tokens: number;
}

/** What refusals have told of the rate, and how finely. */
export interface Estimate {
  /** `given`: by the user; `searching`: nothing refused yet; `pacing`: at a pace. */
  readonly mode: "given" | "searching" | "pacing";
  /** When the server's bucket was last known to be empty, or the first request. */
  readonly emptyAt: number;
  /** When requests flowed again after that. */
  readonly resumedAt: number;
  /** Whether the server had named the time: it may have been longer than needed. */
  readonly named: boolean;
  /** The number of the permit that found it so. */
  readonly emptyNumber: number;
  /** Accepted of those sent since. */
  readonly accepted: number;
  /** Refused of those sent since. */
  readonly refused: number;
  /** The factor by which the pace is tried upwards: how unsure it is. */
  readonly step: number;
  /** Accepted at this pace. */
  readonly held: number;
  /** Rises in a row since the last refusal. */
  readonly rises: number;
  /** Accepted, and seconds, before the first refusal: the bucket was full. */
  readonly first: { readonly accepted: number; readonly seconds: number };
  /** The smallest part that was left of a quota at this pace. */
  readonly least: number;
}

/** Slow start: how many may be under way until something is known. */
export interface SlowStart {
  readonly window: number;
}

/** What the server's own failures (503 and the like) mean. */
export interface Busy {
  /** Whether they were found to be refusals for rate. */
  readonly isLimit: boolean;
  /** How often they were found to be single failures. */
  readonly noise: number;
}

/** The model. */
export interface Model {
  /** The latest time seen; a clock behind it was set back. */
  readonly now: number;
  /** How many requests have been sent: the last one's number. */
  readonly sent: number;
  /** When the last one was sent. */
  readonly sentAt: number;
  /** How many were accepted. */
  readonly accepted: number;
  /** Requests that are not answered yet. */
  readonly inFlight: number;
  /** What an answer takes on average, in seconds; 0 where none has come. */
  readonly roundTrip: number;
  /** The last 16 answers, a bit each: failed. */
  readonly failures: number;
  /** How many answers in a row failed. */
  readonly row: number;
  readonly busy: Busy;
  readonly epoch: Epoch;
  readonly circuit: Circuit;
  readonly lockOut: LockOut;
  readonly bucket: Bucket;
  readonly estimate: Estimate;
  readonly slowStart: SlowStart;
  readonly concurrency: Concurrency;
  readonly quotas: readonly Quota[];
}

/** The model of a server of which nothing is known: the first request goes alone. */
export function unknownServer(now: number): Model {
  return {
    now,
    sent: 0,
    sentAt: now,
    accepted: 0,
    inFlight: 0,
    roundTrip: 0,
    failures: 0,
    row: 0,
    busy: { isLimit: false, noise: 0 },
    epoch: { number: 0, laterAccepted: 0, laterRefused: 0 },
    circuit: {
      phase: "flowing",
      cause: "refusal",
      doubtful: false,
      resumeAt: 0,
      probe: 0,
      probeUntil: 0,
      failures: 0,
      since: 0,
      number: 0,
      inFlight: 0,
      failedAt: 0,
      named: 0,
    },
    lockOut: { openedAt: now, count: 0, least: 0, most: 0 },
    bucket: { rate: Infinity, burst: Infinity, tokens: Infinity },
    estimate: {
      mode: "searching",
      emptyAt: now,
      resumedAt: now,
      named: false,
      emptyNumber: 0,
      accepted: 0,
      refused: 0,
      step: 2,
      held: 0,
      rises: 0,
      first: { accepted: 0, seconds: 0 },
      least: 1,
    },
    slowStart: { window: 1 },
    concurrency: NO_CONCURRENCY_LIMIT,
    quotas: [],
  };
}

/** The model of a server whose rate and burst the user knows. */
export function givenServer(now: number, rate: number, burst: number): Model {
  const model = unknownServer(now);
  return {
    ...model,
    bucket: { rate, burst, tokens: burst },
    estimate: { ...model.estimate, mode: "given" },
    slowStart: { window: Infinity },
  };
}

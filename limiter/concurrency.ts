/**
 * A limit on requests in flight, found by the refusals that come at the same
 * level, and kept by additive increase and multiplicative decrease. Pure.
 *
 * @module
 */

/** What is known of how many requests at once the server bears. */
export interface Concurrency {
  /** Requests that may be in flight; `Infinity` where no limit shows. */
  readonly limit: number;
  /** In flight at the last refusal that nothing else explained. */
  readonly level: number;
  /** Refusals in a row at about that level. */
  readonly alike: number;
  /** Accepted at that level, or at the limit, since. */
  readonly held: number;
  /** Accepted at the limit before one more is tried. */
  readonly probeEvery: number;
  /** How often a limit was set that turned out to be none. */
  readonly mistakes: number;
}

/** Nothing is known: no limit. */
export const NO_CONCURRENCY_LIMIT: Concurrency = {
  limit: Infinity,
  level: Infinity,
  alike: 0,
  held: 0,
  probeEvery: 32,
  mistakes: 0,
};

/** Refusals at one level are alike if they differ by no more than this part. */
const ALIKE = 0.15;
/** Refusals at one level that make a limit. */
const ENOUGH = 2;
/** Accepted at a level that show it to be no limit, in parts of the level. */
const REFUTED = 0.5;
/** A limit is set this far under the level that was refused. */
const DECREASE = 0.9;
/** Accepted at a limit that show it to be one, in parts of the limit. */
const PROVEN = 4;
/** Growth of the time between two tries upwards, for each that was in vain. */
const PATIENCE = 4;
/** The longest time between two tries upwards, in accepted requests. */
const LONGEST = 4096;

/** One was accepted, with `inFlight` under way when it went. */
export function acceptedAt(
  before: Concurrency,
  inFlight: number,
): Concurrency {
  const { limit, level, held, probeEvery } = before;
  if (limit < Infinity) {
    if (inFlight < limit) return before;
    return held + 1 < probeEvery
      ? { ...before, held: held + 1 }
      : { ...before, limit: limit + 1, held: PROVEN * (limit + 1) };
  }
  if (inFlight < level) return before;
  return held + 1 >= Math.max(4, REFUTED * level)
    ? { ...before, level: Infinity, alike: 0, held: 0 }
    : { ...before, held: held + 1 };
}

/**
 * One was refused that no other limit explains, with `inFlight` under way when
 * it went; `certain` where the server's headers say that something is left.
 */
export function refusedAt(
  before: Concurrency,
  inFlight: number,
  certain: boolean,
): Concurrency {
  const { limit, level, held, mistakes, probeEvery } = before;
  if (limit < Infinity) {
    const near = inFlight >= limit * DECREASE;
    const proven = held >= PROVEN * limit && near;
    if (!proven && !certain || limit === 1) {
      return { ...NO_CONCURRENCY_LIMIT, mistakes: mistakes + 1 };
    }
    return {
      ...before,
      // Where the headers say that something is left, it may be much lower.
      limit: near ? limit - 1 : lower(inFlight),
      held: 0,
      probeEvery: Math.min(LONGEST, probeEvery * PATIENCE),
    };
  }
  const same = Math.abs(inFlight - level) <= Math.max(1, level * ALIKE);
  const alike = (same ? before.alike : 0) + (certain ? ENOUGH : 1);
  const next = { ...before, level: inFlight, alike, held: 0 };
  return inFlight > 2 && alike >= ENOUGH + mistakes
    ? { ...next, limit: lower(inFlight) }
    : next;
}

/** Others of the same row were refused with fewer under way: the limit is lower. */
export function refusedBeside(
  before: Concurrency,
  inFlight: number,
): Concurrency {
  const { limit, held } = before;
  return limit < Infinity && held === 0 && inFlight <= limit
    ? { ...before, limit: Math.max(1, inFlight - 1) }
    : before;
}

function lower(level: number): number {
  return Math.max(1, Math.min(level - 1, Math.floor(level * DECREASE)));
}

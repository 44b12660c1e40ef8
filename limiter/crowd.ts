/**
 * Knows how many requests at once a server bears, by its 503s. Pure.
 *
 * @module
 */

/** What the last answers tell. */
export interface Crowd {
  /** The last 16 answers, a bit each: 503. */
  readonly failed: number;
  /** The last 16 answers, a bit each: 503 with `Retry-After`. */
  readonly asked: number;
  /** The fewest requests at once at which a recent 503 came back. */
  readonly least: number;
  /** How many requests at once may be under way. */
  readonly ceiling: number;
  /** Answers at the ceiling before one more is tried. */
  readonly patience: number;
  /** How many of these are still to come. */
  readonly left: number;
  /** The last request that was sent before the ceiling was lowered. */
  readonly since: number;
}

const RECENT = 16;
const ALL_RECENT = 2 ** RECENT - 1;
const LONGEST_PATIENCE = 256;

/** Nothing is known: no ceiling. */
export const NO_CROWD: Crowd = {
  failed: 0,
  asked: 0,
  least: Infinity,
  ceiling: Infinity,
  patience: 1,
  left: 1,
  since: 0,
};

/** Whether the last 16 answers were all 503 with `Retry-After`. */
export function isOutage({ asked }: Crowd): boolean {
  return asked === ALL_RECENT;
}

/**
 * One more answer, to request `number` of `sent`, which was one of `size` under
 * way.
 *
 * Single 503s say nothing. When they are half of the recent answers, more came
 * at once than the server bears, unless one came to a request that was alone:
 * then the server is down.
 */
export function learnCrowd(
  crowd: Crowd,
  failed: boolean,
  asked: boolean,
  { size, number, sent }: { size: number; number: number; sent: number },
): Crowd {
  const next = {
    ...crowd,
    failed: shift(crowd.failed, failed),
    asked: shift(crowd.asked, failed && asked),
  };
  // What is larger was sent before there was a ceiling, and has told already.
  if (!failed) return size === crowd.ceiling ? waitOrRaise(next) : next;
  const least = Math.min(crowd.failed === 0 ? Infinity : crowd.least, size);
  if (least === 1) {
    return { ...NO_CROWD, failed: next.failed, asked: next.asked, least };
  }
  const many = bits(next.failed) >= RECENT / 2;
  const lowest = many ? Math.min(crowd.ceiling, least - 1) : crowd.ceiling;
  // The ceiling was lowered after this one had gone, or there is none yet.
  if (number <= crowd.since || crowd.ceiling === Infinity) {
    const since = lowest < crowd.ceiling ? sent : crowd.since;
    return { ...next, least, ceiling: lowest, since };
  }
  if (size <= crowd.ceiling / 2) return { ...next, least };
  const patience = Math.min(crowd.patience * 2, LONGEST_PATIENCE);
  const ceiling = many ? Math.ceil(lowest / 2) : Math.max(1, size - 1);
  return { ...next, least, ceiling, patience, left: patience, since: sent };
}

/** The server bore as many as there may be: after a while, one more is tried. */
function waitOrRaise(crowd: Crowd): Crowd {
  return crowd.left > 1
    ? { ...crowd, left: crowd.left - 1 }
    : { ...crowd, ceiling: crowd.ceiling + 1, left: crowd.patience };
}

function shift(recent: number, bit: boolean): number {
  return (recent << 1 | Number(bit)) & ALL_RECENT;
}

function bits(recent: number): number {
  let count = 0;
  for (let rest = recent; rest; rest &= rest - 1) count++;
  return count;
}

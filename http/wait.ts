/**
 * Times until something happens, as rate limit headers write them: seconds,
 * durations such as `6m0s`, and instants.
 *
 * @module
 */

import { parseDate } from "./date.ts";
import { parseNumber } from "./number.ts";

/** A time until something happens. */
export interface Wait {
  /** Seconds from now; below 0 for an instant in the past. */
  readonly seconds: number;
  /** What it is rounded to, in seconds; 0: not at all. */
  readonly precision: number;
  /** Whether the server told an instant, and not how long it is until then. */
  readonly instant: boolean;
}

/** Below: a time from now. From here: Unix seconds (9 September 2001). */
const UNIX_SECONDS = 1e9;
/** From here: Unix milliseconds. */
const UNIX_MILLISECONDS = 1e12;

/**
 * Reads a time in any form; `undefined` for what is none.
 *
 * @param text A number, a duration, a clock's `hh:mm:ss`, or an instant.
 * @param now What an instant is measured against, in milliseconds.
 * @param unit Seconds in one of what a small number counts.
 * @param longest Seconds from which on a small number counts milliseconds.
 */
export function parseWait(
  text: string,
  now: number,
  unit = 1,
  longest = Infinity,
): Wait | undefined {
  const number = parseNumber(text);
  if (number !== undefined) {
    return number < UNIX_SECONDS
      ? inSeconds(number * (number > longest ? 0.001 : unit))
      : at(number < UNIX_MILLISECONDS ? number * 1000 : number, now);
  }
  const seconds = parseDuration(text);
  if (seconds !== undefined) return inSeconds(seconds);
  const date = parseDate(text, now);
  // The colon of the minutes is the only one: there are no seconds.
  const precision = /T\d\d:\d\d(?!:)/i.test(text) ? 60 : 1;
  return date === undefined ? undefined : at(date, now, precision);
}

function inSeconds(seconds: number): Wait | undefined {
  return seconds >= 0 && seconds < Infinity
    ? { seconds, precision: fineness(seconds), instant: false }
    : undefined;
}

function at(instant: number, now: number, precision = 1): Wait {
  const seconds = (instant - now) / 1000;
  const rounded = fineness(instant / 1000) && precision;
  return { seconds, precision: rounded, instant: true };
}

function fineness(seconds: number): number {
  return Number.isInteger(seconds) ? 1 : 0;
}

const PART = /(\d+(?:\.\d*)?|\.\d+) *([a-zµ]+) */giy;

/** Seconds in one of these, by how its name begins. */
const UNITS: readonly (readonly [string, number])[] = [
  ["mo", 2592000],
  ["ms", 1e-3],
  ["mil", 1e-3],
  ["mic", 1e-6],
  ["us", 1e-6],
  ["µs", 1e-6],
  ["n", 1e-9],
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86400],
  ["w", 604800],
];

/** Seconds in a unit of time, whatever of its name is written. */
export function secondsIn(unit: string): number | undefined {
  return UNITS.find(([name]) => unit.startsWith(name))?.[1];
}

/** `6m0s` and `120ms` (Go), `90 seconds`, `PT1M30S` (ISO 8601), `00:01:30`. */
function parseDuration(text: string): number | undefined {
  const clock = /^(\d{1,3}):(\d\d):(\d\d)$/.exec(text);
  if (clock) return +clock[1]! * 3600 + +clock[2]! * 60 + +clock[3]!;
  const parts = text.replace(/^PT/i, "").toLowerCase();
  let seconds = 0;
  PART.lastIndex = 0;
  for (let at = 0; at < parts.length; at = PART.lastIndex) {
    const part = PART.exec(parts);
    const unit = part && secondsIn(part[2]!);
    if (!unit) return undefined;
    seconds += +part[1]! * unit;
  }
  return parts ? seconds : undefined;
}

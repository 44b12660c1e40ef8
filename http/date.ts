/**
 * Instants as servers write them: HTTP-dates (RFC 9110), ISO 8601 and
 * JavaScript's `toString`. `Date.parse` is never asked: engines disagree, roll
 * over impossible dates, and read some forms as local time.
 *
 * @module
 */

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
/** 2026-11-23T12:00Z, with seconds or without, with an offset, `Z` or `UTC`. */
const ISO_DATE =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?: ?(?:Z|UTC)| ?([+-])(\d\d):?(\d\d))$/i;

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
export function parseHttpDate(text: string, now: number): number | undefined {
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
export function parseIsoDate(text: string): number | undefined {
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

/**
 * Wed Nov 25 2026 13:00:02 GMT+0100 (Central European Standard Time), as of
 * JavaScript's `toString`, and Wed, 25 Nov 2026 13:00:02 +0100 as of mail.
 */
const NAMED_DATE = new RegExp(
  `^${SHORT_DAY},? (?:(${MONTHS}) (\\d\\d)|(\\d\\d?) (${MONTHS})) (\\d{4}) ` +
    `(\\d\\d):(\\d\\d):(\\d\\d) ${ZONE}?([+-])(\\d\\d):?(\\d\\d)(?: \\([^()]*\\))?$`,
  "i",
);

/** Milliseconds since the epoch of a date with names and an offset. */
function parseNamedDate(text: string): number | undefined {
  const match = NAMED_DATE.exec(text);
  if (!match) return undefined;
  const [year, hour, minute, second] = match.slice(5, 9).map(Number);
  const local = instant(
    year!,
    monthNamed(match[1] ?? match[4]!),
    Number(match[2] ?? match[3]),
    hour!,
    minute!,
    second!,
  );
  return local === undefined
    ? undefined
    : local - Number(`${match[9]}60000`) * (+match[10]! * 60 + +match[11]!);
}

/** Milliseconds since the epoch of an instant in any of these forms. */
export function parseDate(text: string, now: number): number | undefined {
  return parseHttpDate(text, now) ?? parseIsoDate(text) ?? parseNamedDate(text);
}

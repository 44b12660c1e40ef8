/**
 * What a server tells of its limit, and in which headers.
 *
 * @module
 */

import { EPOCH } from "./clock.ts";
import type { Random } from "./draw.ts";
import type { Limit } from "./limits.ts";

/** What servers tell, and how many do. */
export const TELLS = {
  nothing: 20,
  "retry-after": 14,
  "retry-after floor": 5,
  "retry-after date": 5,
  "x delta": 9,
  "x epoch": 12,
  "x epoch ms": 4,
  "x iso minute": 7,
  draft: 6,
  "draft old": 3,
  "x no reset": 9,
  "x fill": 6,
};

export type Tell = keyof typeof TELLS;

const WITHOUT_QUOTA: readonly Tell[] = [
  "nothing",
  "retry-after",
  "retry-after floor",
  "retry-after date",
];

/** A server's manner of telling, and what it refuses with. */
export interface Telling {
  readonly tell: Tell;
  /** Which answers have the headers of the quota. */
  readonly on: "all" | "refusals" | "successes";
  readonly honesty: "honest" | "stale" | "other";
  /** How much of the limit what remains may be off by. */
  readonly stale: number;
  /** The limit of something else, an hour. */
  readonly other: number;
  /** Whether a refusal has `Retry-After` as well. */
  readonly beside: boolean;
  /** Whether a bucket's reset is that of its next token. */
  readonly nextToken: boolean;
  readonly status: number;
  /** Seconds that the server's clock is ahead. */
  readonly ahead: number;
  readonly date: boolean;
}

export function drawTelling(
  random: Random,
  { hasQuota, isBucket, showsZero }: {
    hasQuota: boolean;
    isBucket: boolean;
    /** Whether nothing is left of the quota whenever it refuses. */
    showsZero: boolean;
  },
): Telling {
  let tell = random.pick(TELLS);
  while (
    !hasQuota && !WITHOUT_QUOTA.includes(tell) || tell === "x fill" && !isBucket
  ) tell = random.pick(TELLS);
  const isJira = tell === "x iso minute" || tell === "x fill";
  const on = random.pick({ all: 72, refusals: 14, successes: 14 });
  const honesty = random.pick({ honest: 80, stale: 10, other: 10 });
  const stale = random.between(0.01, 0.1);
  const other = Math.round(random.between(5000, 15000));
  const quota = !WITHOUT_QUOTA.includes(tell);
  const beside = random.chance(isJira ? 0.8 : 0.6) && quota;
  const nextToken = random.chance(0.5) && isBucket;
  const drawn = Number(random.pick({ "429": 72, "503": 15, "403": 13 }));
  const clock = random.pick({ right: 25, little: 50, far: 25 });
  const sign = random.chance(0.5) ? 1 : -1;
  const little = random.between(0, 0.5);
  const far = random.log(0.5, 300);
  const off = clock === "right" ? 0 : clock === "little" ? little : far;
  const date = random.chance(0.9) || off > 0.5;
  // A 403 is known as a refusal by a header, else nobody would try again.
  const shows = quota && showsZero && tell.startsWith("x ") &&
    on !== "successes" &&
    honesty === "honest";
  const named = tell.startsWith("retry-after") || shows;
  return {
    tell,
    on,
    honesty,
    stale,
    other,
    beside: beside || drawn === 403 && !named,
    nextToken,
    status: drawn,
    ahead: sign * off,
    date,
  };
}

/** What a client has been asked to wait for, and by when it is over. */
export interface Told {
  readonly headers: [string, string][];
  /** Seconds to wait from when the answer is there; 0 is nothing. */
  readonly retryAfter: number;
  /** A time, in seconds since the run began, to wait for. */
  readonly until: number;
  /** Seconds until the quota is back, where none of it is left. */
  readonly reset: number;
}

/** The headers of an answer that goes out at `time`. */
export function tell(
  telling: Telling,
  limit: Limit,
  time: number,
  refused: boolean,
  resource: string | undefined,
  random: Random,
): Told {
  const headers: [string, string][] = [];
  const server = EPOCH + time + telling.ahead;
  const wait = refused ? limit.free(time) - time : 0;
  const asked = refused ? askToWait(telling, wait, server, headers) : NOTHING;
  const on = telling.on;
  const hasQuota = !WITHOUT_QUOTA.includes(telling.tell) &&
    (on === "all" || (on === "refusals") === refused);
  const reset = hasQuota
    ? tellQuota(telling, limit, time, refused, resource, random, headers)
    : 0;
  return { headers, ...asked, reset };
}

const NOTHING = { retryAfter: 0, until: 0 };

function askToWait(
  telling: Telling,
  wait: number,
  server: number,
  headers: [string, string][],
): { retryAfter: number; until: number } {
  if (telling.tell === "retry-after date") {
    const date = Math.ceil(server + wait);
    headers.push(["retry-after", httpDate(date)]);
    // Without `Date`, a client cannot know how far the clock is off.
    const unsure = telling.date ? 0 : Math.abs(telling.ahead);
    return { retryAfter: 0, until: date - EPOCH - telling.ahead - unsure };
  }
  if (telling.tell !== "retry-after" && telling.tell !== "retry-after floor") {
    if (!telling.beside) return NOTHING;
  }
  const seconds = telling.tell === "retry-after floor"
    ? Math.floor(wait + 1e-9)
    : Math.max(1, Math.ceil(wait - 1e-9));
  headers.push(["retry-after", String(seconds)]);
  return { retryAfter: seconds, until: 0 };
}

/** Returns the seconds until the quota is back, if none is left and it is told. */
function tellQuota(
  telling: Telling,
  limit: Limit,
  time: number,
  refused: boolean,
  resource: string | undefined,
  random: Random,
  headers: [string, string][],
): number {
  const { honesty, ahead, tell } = telling;
  const isOther = honesty === "other";
  const size = isOther ? telling.other : limit.size;
  const hour = 3600 - time % 3600;
  let left = isOther
    ? Math.max(1, telling.other - Math.ceil(time * 3))
    : limit.left(time);
  if (honesty === "stale") {
    left = Math.min(
      size,
      left + Math.ceil(random.unit() * telling.stale * size),
    );
  }
  const back = telling.nextToken && limit.nextToken
    ? limit.nextToken(time)
    : limit.reset(time);
  const reset = isOther ? hour : back;
  const instant = EPOCH + time + ahead + reset;
  if (tell === "draft") {
    const window = isOther ? 3600 : limit.window;
    const policy = `"default";q=${size}`;
    headers.push(
      [
        "ratelimit-policy",
        window ? `${policy};w=${Math.ceil(window)}` : policy,
      ],
      ["ratelimit", `"default";r=${left};t=${Math.ceil(reset)}`],
    );
    return left === 0 ? Math.ceil(reset) : 0;
  }
  if (tell === "draft old") {
    headers.push(
      ["ratelimit-limit", String(size)],
      ["ratelimit-remaining", String(left)],
      ["ratelimit-reset", String(Math.ceil(reset))],
    );
    return left === 0 ? Math.ceil(reset) : 0;
  }
  headers.push(
    ["x-ratelimit-limit", String(size)],
    ["x-ratelimit-remaining", String(left)],
  );
  if (resource) headers.push(["x-ratelimit-resource", resource]);
  const text = resetText(tell, reset, instant, refused);
  if (text) headers.push(["x-ratelimit-reset", text]);
  if (tell === "x fill") tellFill(limit, time, headers);
  return text && left === 0 ? Math.ceil(reset) + (/T/.test(text) ? 60 : 0) : 0;
}

function resetText(
  tell: Tell,
  reset: number,
  instant: number,
  refused: boolean,
): string | undefined {
  switch (tell) {
    case "x delta":
      return String(Math.ceil(reset));
    case "x epoch":
      return String(Math.ceil(instant));
    case "x epoch ms":
      return String(Math.ceil(instant * 1000));
    case "x iso minute":
      if (!refused) return undefined;
      return new Date(instant * 1000).toISOString().slice(0, 16) + "Z";
    default:
      return undefined;
  }
}

/** Jira's way: so many tokens in so many seconds. */
function tellFill(
  limit: Limit,
  time: number,
  headers: [string, string][],
): void {
  const rate = limit.rate ?? limit.size / Math.max(1, limit.reset(time));
  let seconds = 1;
  const isOff = () => Math.abs(Math.round(rate * seconds) / seconds / rate - 1);
  while (isOff() > 0.02 && seconds < 60) seconds++;
  headers.push(
    ["x-ratelimit-fillrate", String(Math.max(1, Math.round(rate * seconds)))],
    ["x-ratelimit-interval-seconds", String(seconds)],
  );
}

/** The server's time as the answer goes out. */
export function dateHeader(
  { ahead }: Telling,
  time: number,
): [string, string] {
  return ["date", httpDate(EPOCH + time + ahead)];
}

function httpDate(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toUTCString();
}

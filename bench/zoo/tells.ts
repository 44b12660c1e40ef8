/**
 * What a server tells of its limit in headers, and whether that is true.
 *
 * @module
 */

import type { Family, Scene } from "./draw.ts";
import type { Quota } from "./limits.ts";
import { logUniform, pick, type Random, uniform } from "./random.ts";

const KINDS = {
  "nothing": 20,
  "retry-after": 14,
  "retry-after floor": 5,
  "retry-after date": 5,
  "x delta": 9,
  "x epoch": 12,
  "x epoch ms": 4,
  "x iso minute": 7,
  "draft": 9,
  "x no reset": 9,
  "x fill": 6,
};

export interface Tells {
  kind: keyof typeof KINDS;
  /** Which answers have the headers; `Retry-After` is on refusals only. */
  on: "all" | "refusals" | "successes";
  honesty: "honest" | "stale" | "other";
  /** How much of the limit a stale remainder is behind, at the most. */
  stale: number;
  /** The hourly limit that the headers speak of instead. */
  hourly: number;
  /** The form of a `Retry-After` on refusals. */
  retryAfter: "ceil" | "floor" | "date" | undefined;
  /** What a bucket's reset is: when it is full, or has one more token. */
  reset: "full" | "next";
}

export function drawTells(
  random: Random,
  family: Family,
  buckets: boolean,
): Tells {
  const { "x fill": fill, ...others } = KINDS;
  const kind = family === "no limit"
    ? "nothing"
    : pick(random, buckets ? { ...others, "x fill": fill } : others);
  const on = pick(random, { all: 72, refusals: 14, successes: 14 });
  const honesty = pick(random, { honest: 80, stale: 10, other: 10 });
  const jira = kind === "x iso minute" || kind === "x fill";
  const beside = random() < (jira ? 0.8 : 0.6);
  const reset = random() < 0.5 ? "full" : "next";
  const hasQuota = kind !== "nothing" && !kind.startsWith("retry-after");
  return {
    kind,
    on: kind === "x iso minute" ? "refusals" : on,
    // Nobody tells how many may be under way: what is told is another limit.
    honesty: family === "concurrency" ? "other" : honesty,
    stale: uniform(random, 0.01, 0.1),
    hourly: Math.round(logUniform(random, 5000, 15000)),
    retryAfter: kind === "retry-after" || hasQuota && beside
      ? "ceil"
      : kind === "retry-after floor"
      ? "floor"
      : kind === "retry-after date"
      ? "date"
      : undefined,
    reset: buckets ? reset : "full",
  };
}

/** Whether each refusal says by a header that it is one. */
export function isLimitTold(tells: Tells, family: Family): boolean {
  if (tells.retryAfter) return true;
  return tells.kind.startsWith("x ") && tells.on !== "successes" &&
    tells.honesty === "honest" && family !== "burst + window" &&
    family !== "window + concurrency";
}

/** Headers, and what they name, in seconds since the start or from reception. */
export interface Told {
  headers: [string, string][];
  /** `Retry-After` in seconds. */
  retryAfter?: number;
  /** The instant that a `Retry-After` names. */
  retryAt?: number;
  /** The latest instant that any header names as the end of a wait. */
  until: number;
}

/** What the answer at `now` says, by a clock that shows `clock` ms then. */
export function tell(
  scene: Scene,
  quota: Quota,
  { now, clock, wait, refused, passed, resource, random }: {
    now: number;
    clock: number;
    /** Seconds until the next would pass. */
    wait: number;
    refused: boolean;
    /** Requests that passed so far. */
    passed: number;
    resource: string | undefined;
    random: Random;
  },
): Told {
  const { tells } = scene;
  const headers: [string, string][] = [];
  const told: Told = { headers, until: now };
  if (scene.dated) headers.push(["date", new Date(clock).toUTCString()]);
  if (resource) headers.push(["x-ratelimit-resource", resource]);
  if (refused && tells.retryAfter) addRetryAfter(told, scene, now, clock, wait);
  const on = tells.on === "all" ||
    tells.on === (refused ? "refusals" : "successes");
  if (!on || tells.kind === "nothing" || tells.kind.startsWith("retry-after")) {
    return told;
  }

  let { limit, remaining } = quota;
  let reset = tells.reset === "next" ? quota.next : quota.full;
  if (tells.honesty === "other") {
    limit = tells.hourly;
    remaining = Math.max(0, limit - passed % limit);
    reset = 3600 - clock / 1000 % 3600;
  } else if (tells.honesty === "stale") {
    const behind = Math.round(random() * tells.stale * limit);
    remaining = Math.min(limit, remaining + behind);
  }
  if (remaining === 0) {
    // The slack is for the clock's error, seconds and minutes rounded up.
    const slack = 61 + Math.abs(scene.clockAhead);
    told.until = Math.max(told.until, now + reset + slack);
  }
  if (tells.kind === "draft") {
    const window = tells.honesty === "other"
      ? 3600
      : Math.ceil(limit / quota.rate);
    headers.push(
      ["ratelimit", `"default";r=${remaining};t=${Math.ceil(reset)}`],
      ["ratelimit-policy", `"default";q=${limit};w=${window}`],
    );
    return told;
  }
  headers.push(
    ["x-ratelimit-limit", String(limit)],
    ["x-ratelimit-remaining", String(remaining)],
  );
  const at = clock + reset * 1000;
  switch (tells.kind) {
    case "x delta":
      headers.push(["x-ratelimit-reset", String(Math.ceil(reset))]);
      break;
    case "x epoch":
      headers.push(["x-ratelimit-reset", String(Math.ceil(at / 1000))]);
      break;
    case "x epoch ms":
      headers.push(["x-ratelimit-reset", String(Math.ceil(at))]);
      break;
    case "x iso minute":
      headers.push([
        "x-ratelimit-reset",
        `${new Date(at).toISOString().slice(0, 16)}Z`,
      ]);
      break;
    case "x fill": {
      const interval = quota.rate >= 50 ? 1 : quota.rate >= 5 ? 10 : 60;
      headers.push(
        ["x-ratelimit-fillrate", String(Math.round(quota.rate * interval))],
        ["x-ratelimit-interval-seconds", String(interval)],
      );
      break;
    }
    case "x no reset":
      break;
  }
  return told;
}

function addRetryAfter(
  told: Told,
  scene: Scene,
  now: number,
  clock: number,
  wait: number,
): void {
  const { headers } = told;
  switch (scene.tells.retryAfter) {
    case "ceil":
      told.retryAfter = Math.max(1, Math.ceil(wait - 1e-6));
      break;
    case "floor":
      told.retryAfter = Math.floor(wait);
      break;
    case "date": {
      const at = Math.ceil((clock + wait * 1000) / 1000) * 1000;
      headers.push(["retry-after", new Date(at).toUTCString()]);
      told.retryAt = now + (at - clock) / 1000;
      // Without a `Date`, the client has its own clock to go by.
      if (!scene.dated) told.retryAt += Math.min(0, scene.clockAhead);
      told.until = now + (at - clock) / 1000 + 1;
      return;
    }
  }
  headers.push(["retry-after", String(told.retryAfter)]);
  told.until = now + told.retryAfter! + 1;
}

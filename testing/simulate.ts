/**
 * Knows how servers limit their clients, and what a job of many workers does
 * about it: both in simulated time, so that minutes take milliseconds.
 *
 * @module
 */

/** What a server answers. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
}

/** Decides on a request that arrives at `now`, in seconds since the epoch. */
export type Limit = (now: number, underWay: number) => Answer;

/** A small generator of random numbers: mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let bits = Math.imul(state ^ state >>> 15, 1 | state);
    bits = bits + Math.imul(bits ^ bits >>> 7, 61 | bits) ^ bits;
    return ((bits ^ bits >>> 14) >>> 0) / 2 ** 32;
  };
}

const ok = (headers: Record<string, string> = {}): Answer => ({
  status: 200,
  headers,
});
const refuse = (headers: Record<string, string> = {}): Answer => ({
  status: 429,
  headers,
});

/** How the headers of a server look. */
export type Style = "legacy" | "draft-8" | "fastify" | "retry-after" | "none";

/** A token bucket, with or without Jira's headers. */
export function bucket(
  rate: number | ((now: number) => number),
  burst: number,
  style: "jira" | "fill" | "retry-after" | "none",
): Limit {
  let tokens = burst;
  let at = 0;
  return (now) => {
    const current = typeof rate === "number" ? rate : rate(now);
    tokens = Math.min(burst, at === 0 ? burst : tokens + (now - at) * current);
    at = now;
    const allowed = tokens >= 1;
    if (allowed) tokens--;
    const headers: Record<string, string> = {};
    if (style === "jira" || style === "fill") {
      headers["X-RateLimit-Limit"] = String(burst);
      headers["X-RateLimit-Remaining"] = String(Math.floor(tokens));
    }
    if (style === "fill") {
      headers["X-RateLimit-FillRate"] = String(current);
      headers["X-RateLimit-Interval-Seconds"] = "1";
    }
    if (allowed) return ok(headers);
    if (style !== "none") {
      headers["Retry-After"] = String(Math.ceil(1 / current));
    }
    return refuse(headers);
  };
}

function windowHeaders(
  style: Style,
  limit: number,
  remaining: number,
  end: number,
  now: number,
): Record<string, string> {
  const left = Math.max(0, end - now);
  switch (style) {
    case "legacy":
      return {
        "x-ratelimit-limit": String(limit),
        "x-ratelimit-remaining": String(remaining),
        "x-ratelimit-reset": String(Math.ceil(end)),
        date: new Date(now * 1000).toUTCString(),
      };
    case "draft-8":
      return {
        ratelimit: `"default"; r=${remaining}; t=${Math.ceil(left)}`,
        "ratelimit-policy": `"default"; q=${limit}; w=${Math.ceil(left)}`,
      };
    case "fastify":
      return {
        "x-ratelimit-limit": String(limit),
        "x-ratelimit-remaining": String(remaining),
        "x-ratelimit-reset": String(Math.ceil(left)),
      };
    default:
      return {};
  }
}

/** A fixed window, from the first request on or aligned to the clock. */
export function fixedWindow(
  limit: number,
  seconds: number,
  style: Style,
  { aligned = false, countRefused = false } = {},
): Limit {
  let end = 0;
  let used = 0;
  return (now) => {
    if (now >= end) {
      end = aligned ? (Math.floor(now / seconds) + 1) * seconds : now + seconds;
      used = 0;
    }
    const allowed = used < limit;
    if (allowed || countRefused) used++;
    const remaining = Math.max(0, limit - used);
    const headers = windowHeaders(style, limit, remaining, end, now);
    if (allowed) return ok(headers);
    if (style !== "none") headers["retry-after"] = String(Math.ceil(end - now));
    return refuse(headers);
  };
}

/** A sliding window: never more than `limit` in any `seconds`. */
export function slidingWindow(
  limit: number,
  seconds: number,
  style: Style,
): Limit {
  const times: number[] = [];
  return (now) => {
    while (times.length > 0 && times[0]! <= now - seconds) times.shift();
    const allowed = times.length < limit;
    if (allowed) times.push(now);
    const end = times[0]! + seconds;
    const headers = windowHeaders(style, limit, limit - times.length, end, now);
    if (allowed) return ok(headers);
    if (style !== "none") headers["retry-after"] = String(Math.ceil(end - now));
    return refuse(headers);
  };
}

/** No limit but on what is under way. */
export function concurrency(limit: number): Limit {
  return (_, underWay) =>
    underWay > limit ? { status: 503, headers: {} } : ok();
}

/** No limit, but faults. */
export function faulty(random: () => number, share: number): Limit {
  return () => random() < share ? { status: 503, headers: {} } : ok();
}

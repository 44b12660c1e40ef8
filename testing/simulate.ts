/**
 * Knows how servers limit their clients, and what a job of many workers does
 * about it: both in simulated time, so that minutes take milliseconds.
 *
 * @module
 */

import {
  follow,
  learn,
  type Pace,
  send,
  unknownPace,
  waitTime,
} from "../limiter/pace.ts";

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

/** What a job came to. */
export interface Job {
  /** Seconds from the first request to the last answer. */
  seconds: number;
  /** Requests sent. */
  requests: number;
  /** Requests refused. */
  refused: number;
  /** Requests that came before the time that a 429 had named. */
  early: number;
  /** Items that failed four times. */
  lost: number;
  /** The limiter's state at the end. */
  pace: Pace;
  /** When each request was sent. */
  sends: number[];
}

/** Settings of a job. */
export interface JobOptions {
  items?: number;
  workers?: number;
  /** Seconds that an answer takes, on average. */
  latency?: number;
  seed?: number;
  start?: number;
  trace?: (now: number, pace: Pace, event: string) => void;
}

/** Runs a job to its end, with one shared pace. */
export function runJob(limit: Limit, options: JobOptions = {}): Job {
  const { items = 1500, workers = 32, latency = 0.005, seed = 1 } = options;
  const random = randomNumbers(seed);
  const start = (options.start ?? 1795435200) + random();
  const events: { at: number; order: number; run: () => void }[] = [];
  let order = 0;
  let now = start;
  const schedule = (at: number, run: () => void) => {
    const event = { at, order: order++, run };
    let low = 0;
    for (let high = events.length; low < high;) {
      const middle = (low + high) >> 1;
      const other = events[middle]!;
      if (other.at > at || other.at === at && other.order > event.order) {
        low = middle + 1;
      } else high = middle;
    }
    events.splice(low, 0, event);
  };

  let pace = unknownPace(now);
  let taken = 0;
  let done = 0;
  let underWay = 0;
  let atServer = 0;
  let notBefore = 0;
  let wake = 0;
  const job: Job = {
    seconds: 0,
    requests: 0,
    refused: 0,
    early: 0,
    lost: 0,
    pace,
    sends: [],
  };
  const waiting: (() => void)[] = [];

  const pump = () => {
    while (waiting.length > 0 && underWay < pace.crowd.ceiling) {
      pace = follow(pace, now);
      const wait = waitTime(pace);
      if (wait > 0) {
        // Timers have a resolution of a millisecond.
        const at = now + Math.ceil(wait * 1000) / 1000;
        const id = ++wake;
        if (wait < Infinity) {
          schedule(at, () => {
            if (id === wake) pump();
          });
        }
        return;
      }
      waiting.shift()!();
    }
  };
  const attempt = (failures: number) => {
    waiting.push(() => {
      underWay++;
      const sent = send(pace, now, underWay);
      pace = sent.pace;
      const { turn } = sent;
      job.requests++;
      if (now < notBefore) job.early++;
      job.sends.push(now - start);
      options.trace?.(now - start, pace, "send");
      const way = latency * (0.4 + 0.2 * random());
      schedule(now + way, () => {
        atServer++;
        const answer = limit(now, atServer);
        const headers = new Headers(answer.headers);
        const named = Number(headers.get("retry-after") ?? 0);
        const stay = answer.status === 200 ? latency * 0.9 * random() : 0;
        schedule(now + stay, () => atServer--);
        schedule(now + stay + latency * 0.5, () => {
          if (answer.status === 429) {
            notBefore = Math.max(notBefore, now + named);
          }
          pace = learn(pace, now, turn, answer, underWay);
          underWay--;
          options.trace?.(now - start, pace, String(answer.status));
          if (answer.status === 200) {
            done++;
            next();
          } else {
            job.refused++;
            if (failures === 3) {
              job.lost++;
              next();
            } else if (answer.status === 429) attempt(failures + 1);
            else {schedule(now + 2 ** failures * (1 + random()), () =>
                attempt(failures + 1));}
          }
          pump();
        });
      });
    });
    pump();
  };
  const next = () => {
    if (taken < items) {
      taken++;
      attempt(0);
    }
  };
  for (let worker = 0; worker < workers; worker++) next();
  for (let event = events.pop(); event; event = events.pop()) {
    now = event.at;
    event.run();
    if (now - start > 600) break;
    if (done + job.lost < items) job.seconds = now - start;
    job.pace = pace;
  }
  return job;
}

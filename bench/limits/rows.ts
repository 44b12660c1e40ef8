/**
 * The rows of the bench: a server, a job, the best possible time and the goal.
 *
 * @module
 */

import {
  alignedSlots,
  bucketSlots,
  counterSlots,
  freeSlots,
  outageSlots,
  type Slots,
  windowSlots,
} from "./best.ts";
import {
  bucket,
  concurrency,
  failing,
  fixedWindow,
  type Limit,
  refills,
  slidingCounter,
  slidingLog,
} from "./limits.ts";
import type { PackageName } from "./packages.ts";

/** A time in which the server answers nobody. */
export interface Outage {
  /** Connections are refused, requests are not answered, or get a status. */
  kind: "refused" | "timeout" | 502 | 503;
  /** Seconds after the first request. */
  from: number;
  seconds: number;
}

/** A server, whose accepted answers take `latency` seconds on average. */
export type ServerSpec =
  & { latency: number }
  & (
    | {
      kind: "limit";
      limit: () => Limit;
      /** Seconds that a request, and that an answer, is on its way. */
      away?: number;
      outage?: Outage;
    }
    | { kind: "package"; package: PackageName; limit: number; seconds: number }
    | { kind: "nginx"; zone: string; limit: string }
    | { kind: "haproxy"; limit: number; seconds: number }
  );

/** What counts as reached: no item lost and no request early, and these. */
export interface Goal {
  /** Time, to the best possible time: the median of the runs. */
  ratio?: number;
  /** The same, of every run. */
  worstRatio?: number;
  /** Percent of the requests that are refused. */
  waste?: number;
  /** Seconds after an outage until all is done. */
  after?: number;
  /** Requests in an outage once it can be known. */
  probes?: number;
}

/** A server and a job. */
export interface Row {
  /** Which goal it belongs to. */
  line: string;
  server: ServerSpec;
  items: number;
  workers: number;
  /** The clients that it is for. */
  clients: readonly string[];
  /** Seconds after which an attempt counts as hanging. */
  timeout: number;
  /**
   * When the requests can pass; by the instant of the job's first one, and of
   * the first of those that used up the limit.
   */
  slots: (start: number, usedUpAt: number) => Slots;
  /** Requests by which somebody used up the limit just before. */
  usedUp: number;
  /** Most requests at once. */
  atOnce: number;
  goal: Goal;
}

/** Seconds of work for one answer. */
const WORK = 0.03;
/** This module, in each way that its README teaches. */
const WAYS = ["ours", "ours-parsed", "ours-fetch"];

/** As good as where nothing need be learned. */
const TOLD: Goal = { ratio: 1.03, waste: 0.1 };
/** With few workers or very many, what the machine adds counts. */
const TOLD_EDGE: Goal = { ratio: 1.05, waste: 0.1 };
const NGINX: Goal = { ratio: 1.06, worstRatio: 1.1, waste: 1.5 };
const RETRY_AFTER: Goal = { ratio: 1.25 };
const CHANGES: Goal = { ratio: 1.12, waste: 2 };
const SLOW: Goal = { ratio: 1.2, waste: 10 };
/** A server that is served well. */
const SERVED: Goal = { ratio: 1.2, waste: 5 };
const OUTAGE: Goal = { after: 15, probes: 12 };

const defaults = {
  workers: 32,
  clients: ["ours"],
  timeout: 2,
  atOnce: Infinity,
  usedUp: 0,
};

type Part = Omit<Row, keyof typeof defaults> & Partial<Row>;

const row = (part: Part): Row => ({ ...defaults, ...part });

/** One row for each number of workers, for each way of the README. */
function told(name: string, part: Omit<Part, "line" | "goal">) {
  return Object.fromEntries([4, 32, 256].map((workers) => [
    `${name}-${workers}`,
    row({
      ...part,
      line: "headers",
      workers,
      clients: WAYS,
      goal: workers === 32 ? TOLD : TOLD_EDGE,
    }),
  ]));
}

/** Windows of a limiter from npm. */
const npm = (
  limiter: PackageName,
  limit: number,
  seconds: number,
  count: number,
) => ({
  server: {
    kind: "package",
    package: limiter,
    limit,
    seconds,
    latency: WORK,
  } as const,
  items: count,
  slots: () => windowSlots(count, limit, seconds),
});

/** The same, used up when the job comes. */
const usedUpNpm = (
  limiter: PackageName,
  limit: number,
  seconds: number,
  count: number,
) => ({
  ...npm(limiter, limit, seconds, count),
  usedUp: limit,
  slots: (start: number, usedUpAt: number) =>
    windowSlots(count, limit, seconds)
      .map((slot) => slot + Math.max(0, usedUpAt + seconds - start)),
});

/** nginx's `limit_req`, by requests per second. */
const limitReq = (rate: number, burst: number, count: number) => ({
  server: {
    kind: "nginx",
    zone: `limit_req_zone $binary_remote_addr zone=all:1m rate=${rate}r/s;`,
    limit:
      `limit_req zone=all burst=${burst} nodelay; limit_req_status 429; limit_req_log_level info;`,
    latency: WORK,
  } as const,
  items: count,
  // The first request is not one of the burst.
  slots: () => bucketSlots(count, rate, burst + 1),
});

const haproxy = (limit: number, seconds: number, count: number) => ({
  server: { kind: "haproxy", limit, seconds, latency: WORK } as const,
  items: count,
  slots: () => counterSlots(count, limit, seconds),
});

/** A limit written here. */
const own = (limit: () => Limit, latency = WORK) =>
  ({ kind: "limit", limit, latency }) as const;

const bareBucket = (
  rate: number | ((since: number) => number),
  burst: number,
  count: number,
) => ({
  server: own(() => bucket({ rate, burst, tells: "nothing" })),
  items: count,
  slots: () => bucketSlots(count, rate, burst),
});

const outage = (kind: Outage["kind"], seconds: number) => {
  const from = 2;
  return row({
    line: "outage",
    server: {
      ...own(() => bucket({ rate: 200, burst: 40, tells: "jira" })),
      outage: { kind, from, seconds },
    },
    items: 1200,
    timeout: 1,
    // Only the drop-in `fetch` retries a 502.
    clients: [kind === 502 ? "ours-fetch" : "ours"],
    slots: () => outageSlots(1200, 200, 40, from, seconds),
    goal: OUTAGE,
  });
};

/** What others take out of a bucket of 200/s: up to half, new each second. */
const others = (since: number) =>
  ((Math.floor(since) + 1) * 0.618034) % 1 * 100;

/** All rows, by name. */
export const ROWS: Record<string, Row> = {
  ...told("bucket", {
    server: own(() => bucket({ rate: 200, burst: 40, tells: "jira" })),
    items: 1500,
    slots: () => bucketSlots(1500, 200, 40),
  }),
  ...told("express-legacy", npm("express-legacy", 400, 2, 1500)),
  ...told("express-draft-8", npm("express-draft-8", 400, 2, 1500)),
  ...told("fastify", npm("fastify", 400, 2, 1500)),
  "flexible": row({
    line: "headers",
    workers: 16,
    ...npm("flexible", 200, 2, 900),
    goal: TOLD,
  }),
  "hono": row({
    line: "headers",
    workers: 16,
    ...npm("hono", 200, 2, 900),
    goal: TOLD,
  }),
  "aligned": row({
    line: "headers",
    server: own(() =>
      fixedWindow({ limit: 400, seconds: 2, tells: "instants", aligned: true })
    ),
    items: 1700,
    slots: (start) => alignedSlots(1700, 400, 2, 2, start),
    goal: TOLD,
  }),
  "aligned-half": row({
    line: "headers",
    server: own(() =>
      fixedWindow({
        limit: 500,
        seconds: 2.5,
        tells: "instants",
        aligned: true,
      })
    ),
    items: 2100,
    slots: (start) => alignedSlots(2100, 500, 2.5, 2.5, start),
    goal: { ratio: 1.1, waste: 0.5 },
  }),
  "sliding-counter": row({
    line: "headers",
    server: own(() => slidingCounter(400, 2, "draft")),
    items: 1700,
    slots: () => counterSlots(1700, 400, 2),
    goal: TOLD,
  }),
  "refused-count": row({
    line: "headers",
    server: own(() =>
      fixedWindow({ limit: 400, seconds: 2, tells: "instants", counts: true })
    ),
    items: 1900,
    slots: () => windowSlots(1900, 400, 2),
    goal: TOLD,
  }),
  "jira-503": row({
    line: "headers",
    server: own(
      () =>
        failing(bucket({ rate: 150, burst: 150, tells: "jira" }), 0.02, 1200),
      0.12,
    ),
    items: 1400,
    slots: () => bucketSlots(1400, 150, 150),
    // The 503s are the server's, and each costs its item a second.
    goal: { ratio: 1.05, waste: 2.1 },
  }),
  "others": row({
    line: "headers",
    server: own(() => bucket({ rate: 200, burst: 100, tells: "jira", others })),
    items: 1300,
    slots: () => bucketSlots(1300, (since) => 200 - others(since), 100),
    goal: { ratio: 1.03, waste: 0.5 },
  }),

  "nginx-200": row({
    line: "nginx",
    ...limitReq(200, 20, 1500),
    goal: NGINX,
  }),
  "nginx-200-40": row({
    line: "nginx",
    ...limitReq(200, 40, 1500),
    goal: NGINX,
  }),
  "nginx-200-256": row({
    line: "nginx",
    workers: 256,
    ...limitReq(200, 20, 1500),
    goal: NGINX,
  }),
  "nginx-50": row({ line: "nginx", ...limitReq(50, 20, 420), goal: NGINX }),

  "haproxy-32": row({
    line: "haproxy",
    ...haproxy(400, 2, 1700),
    goal: { ratio: 1.1, waste: 1.5 },
  }),
  "haproxy-256": row({
    line: "haproxy",
    workers: 256,
    ...haproxy(400, 2, 1700),
    goal: { ratio: 1.3, waste: 5 },
  }),

  "sliding-log": row({
    line: "sliding log",
    server: own(() => slidingLog(400, 2)),
    items: 1900,
    slots: () => windowSlots(1900, 400, 2),
    goal: RETRY_AFTER,
  }),
  "retry-after-1": row({
    line: "Retry-After: 1",
    server: own(() => bucket({ rate: 200, burst: 40, tells: "retry-after" })),
    items: 1700,
    slots: () => bucketSlots(1700, 200, 40),
    goal: RETRY_AFTER,
  }),

  "doubles": row({
    line: "changes",
    ...bareBucket((since) => since < 5 ? 150 : 300, 20, 2000),
    goal: CHANGES,
  }),
  "halves": row({
    line: "changes",
    ...bareBucket((since) => since < 4 ? 300 : 150, 20, 1900),
    goal: CHANGES,
  }),

  "far": row({
    line: "far",
    workers: 64,
    ...bareBucket(100, 20, 900),
    server: {
      ...own(() => bucket({ rate: 100, burst: 20, tells: "nothing" }), 0),
      away: 0.15,
    },
    goal: { ratio: 1.15, waste: 4 },
  }),

  "github": row({
    line: "github",
    server: own(
      () =>
        fixedWindow({
          limit: 500,
          seconds: 3,
          tells: "instants",
          wholeSeconds: true,
          status: 403,
          atOnce: 20,
        }),
      0.05,
    ),
    items: 2000,
    slots: (start) => alignedSlots(2000, 500, 3, 1, start),
    atOnce: 20,
    goal: { ratio: 1.1, waste: 1 },
  }),

  "slow-5": row({
    line: "slow",
    workers: 8,
    ...bareBucket(5, 10, 60),
    goal: SLOW,
  }),
  "slow-10": row({
    line: "slow",
    workers: 8,
    ...bareBucket(10, 10, 110),
    goal: SLOW,
  }),
  "slow-20": row({
    line: "slow",
    workers: 8,
    ...bareBucket(20, 10, 210),
    goal: SLOW,
  }),
  "slow-nginx": row({
    line: "slow",
    workers: 8,
    ...limitReq(10, 10, 110),
    goal: SLOW,
  }),
  "slow-haproxy": row({
    line: "slow",
    workers: 8,
    ...haproxy(50, 5, 150),
    goal: SLOW,
  }),
  "slow-window": row({
    line: "slow",
    workers: 8,
    server: own(() =>
      fixedWindow({ limit: 100, seconds: 5, tells: "nothing" })
    ),
    items: 250,
    slots: () => windowSlots(250, 100, 5),
    goal: SLOW,
  }),
  "slow-flexible": row({
    line: "slow",
    workers: 8,
    ...npm("flexible-bare", 10, 2, 55),
    goal: SLOW,
  }),

  "outage-10-refused": outage("refused", 10),
  "outage-10-503": outage(503, 10),
  "outage-10-timeout": outage("timeout", 10),
  "outage-10-502": outage(502, 10),
  "outage-60-refused": outage("refused", 60),
  "outage-60-503": outage(503, 60),
  "outage-60-timeout": outage("timeout", 60),
  "outage-60-502": outage(502, 60),

  "nginx-conn": row({
    line: "at once",
    server: {
      kind: "nginx",
      zone: "limit_conn_zone $binary_remote_addr zone=all:1m;",
      limit:
        "limit_conn all 10; limit_conn_status 429; limit_conn_log_level info;",
      latency: 0.05,
    },
    items: 1500,
    slots: () => freeSlots(1500),
    atOnce: 10,
    goal: SERVED,
  }),
  "at-once-503": row({
    line: "at once",
    server: own(() => concurrency(10, 503), 0.05),
    items: 1500,
    slots: () => freeSlots(1500),
    atOnce: 10,
    goal: SERVED,
  }),

  "refills": row({
    line: "others",
    server: own(() => refills(20, 0.1)),
    items: 1500,
    slots: () => windowSlots(1500, 20, 0.1),
    goal: SERVED,
  }),
  "sliding-counter-bare": row({
    line: "others",
    server: own(() => slidingCounter(400, 2, "nothing")),
    items: 1700,
    slots: () => counterSlots(1700, 400, 2),
    goal: SERVED,
  }),
  "first-is-429": row({
    line: "others",
    server: own(() =>
      bucket({ rate: 50, burst: 10, tells: "nothing", empty: 0.5 })
    ),
    items: 300,
    slots: () => bucketSlots(300, 50, 10, 0.5),
    goal: SERVED,
  }),
  "flexible-bare": row({
    line: "others",
    workers: 16,
    ...npm("flexible-bare", 200, 2, 900),
    goal: SERVED,
  }),
  "koa": row({
    line: "others",
    workers: 16,
    ...npm("koa", 200, 2, 900),
    goal: SERVED,
  }),
  "koa-slow": row({
    line: "others",
    workers: 8,
    ...npm("koa", 10, 2, 55),
    goal: SERVED,
  }),
  "koa-used-up": row({
    line: "others",
    workers: 16,
    ...usedUpNpm("koa", 200, 2, 700),
    goal: SERVED,
  }),
  "hono-used-up": row({
    line: "others",
    workers: 16,
    ...usedUpNpm("hono", 200, 2, 700),
    goal: SERVED,
  }),
  "flexible-bare-used-up": row({
    line: "others",
    workers: 16,
    ...usedUpNpm("flexible-bare", 200, 2, 700),
    goal: SERVED,
  }),
  "restify": row({
    line: "others",
    workers: 16,
    ...npm("restify", 20, 0.2, 900),
    slots: () => bucketSlots(900, 100, 20),
    goal: SERVED,
  }),
  "moleculer": row({
    line: "others",
    workers: 16,
    ...npm("moleculer", 200, 2, 900),
    goal: SERVED,
  }),
  "nest": row({
    line: "others",
    workers: 16,
    ...npm("nest", 200, 2, 900),
    goal: SERVED,
  }),
  "nest-slow": row({
    line: "others",
    workers: 8,
    ...npm("nest", 25, 5, 60),
    goal: SERVED,
  }),
};

/** Rows on which the processor time is compared with p-retry's, and the goal. */
export const CPU = {
  rows: ["bucket-32", "express-legacy-32", "nginx-200"],
  goal: 1.1,
};

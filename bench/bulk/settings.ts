/**
 * What the servers of the bulk bench allow, and the best that any client could
 * do there.
 *
 * @module
 */

/** Requests that each client has to bring home. */
export const ITEMS = 1500;

/** Seconds after which a request counts as hanging, for every client. */
export const TIMEOUT = 2;

/** The windows of express-rate-limit and @fastify/rate-limit. */
export const WINDOW = { limit: 400, seconds: 2 };

/** nginx: requests per second, and how many more at once. */
export const NGINX = { rate: 200, burst: 40 };

const windows = Math.ceil(ITEMS / WINDOW.limit) - 1;

/** What a server is called, and the shortest time in seconds, by workers. */
export interface ServerKind {
  title: string;
  best(workers: number): number;
}

/**
 * Token buckets of 200 requests/s, windows of express-rate-limit and
 * @fastify/rate-limit, nginx's limit_req, and no limit with 5 % of 503, 2 % of
 * hang-ups and 1 % of stalls; by the name that `server.ts` is started with.
 */
export const SERVERS: Record<string, ServerKind> = {
  "bucket": {
    title: "bucket, burst 1 s, Jira headers",
    best: () => (ITEMS - 200) / 200,
  },
  "bucket-small": {
    title: "bucket, burst 0.2 s, Jira headers",
    best: () => (ITEMS - 40) / 200,
  },
  "express-legacy": {
    title: "express, X-RateLimit-*",
    best: () => windows * WINDOW.seconds,
  },
  "express-draft-8": {
    title: "express, draft-8 RateLimit",
    best: () => windows * WINDOW.seconds,
  },
  "fastify": {
    title: "@fastify/rate-limit",
    best: () => windows * WINDOW.seconds,
  },
  "nginx": {
    title: "nginx, no header",
    best: () => (ITEMS - NGINX.burst) / NGINX.rate,
  },
  "faults": {
    title: "no limit, 8 % faults",
    best: (workers) => ITEMS / workers * 0.1,
  },
};

/** One client on one server. */
export interface Run {
  server: string;
  client: string;
  workers: number;
  /** Time, to the best possible time. */
  ratio: number;
  /** Percent of the requests that were refused. */
  waste: number;
  /** Items that were not brought home. */
  lost: number;
  /** Seconds of processor time of the client's process. */
  cpu: number;
  /** Requests in each tenth of a second: accepted, refused. */
  timeline: [number, number][];
}

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

/** The servers, by the name that `server.ts` is started with. */
export const SERVERS: Record<string, ServerKind> = {
  "bucket": {
    title: "token bucket, burst 1 s, Jira headers",
    best: () => (ITEMS - 200) / 200,
  },
  "bucket-small": {
    title: "token bucket, burst 0.2 s, Jira headers",
    best: () => (ITEMS - 40) / 200,
  },
  "express-legacy": {
    title: "express-rate-limit, X-RateLimit-*",
    best: () => windows * WINDOW.seconds,
  },
  "express-draft-8": {
    title: "express-rate-limit, draft-8 RateLimit",
    best: () => windows * WINDOW.seconds,
  },
  "fastify": {
    title: "@fastify/rate-limit",
    best: () => windows * WINDOW.seconds,
  },
  "nginx": {
    title: "nginx limit_req, no header",
    best: () => (ITEMS - NGINX.burst) / NGINX.rate,
  },
  "faults": {
    title: "no limit; 5 % 503, 2 % hang-ups, 1 % stalls",
    best: (workers) => ITEMS / workers * 0.1,
  },
};

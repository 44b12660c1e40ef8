// deno-lint-ignore-file no-console
/**
 * One rate-limited server in a process of its own. Prints its port, answers
 * with the limit of the kind that it is started as, and tells at `/log` when
 * each request came and what became of it.
 *
 *     deno run -A --config bench/deno.json bench/bulk/server.ts bucket
 *
 * @module
 */

import rateLimitPlugin from "@fastify/rate-limit";
import express from "express";
import { rateLimit } from "express-rate-limit";
import fastify from "fastify";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { bucket } from "../../testing/simulate.ts";
import { WINDOW } from "./settings.ts";

/** Milliseconds since the epoch, status; 0 is a request that was not answered. */
const log: [number, number][] = [];

/** Answers `/log`; everything else is the business of `listener`. */
function start(listener: RequestListener): void {
  const server = createServer((request, response) => {
    if (request.url === "/log") {
      response.end(JSON.stringify(log));
      return;
    }
    const entry: [number, number] = [Date.now(), 0];
    log.push(entry);
    response.on("finish", () => entry[1] = response.statusCode);
    listener(request, response);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => {
    console.log((server.address() as AddressInfo).port);
  });
}

function startBucket(burst: number): void {
  const limit = bucket(200, burst, "jira");
  start((_, response) => {
    const { status, headers } = limit(Date.now() / 1000, 0);
    response.writeHead(status, headers);
    response.end("{}");
  });
}

function startExpress(legacy: boolean): void {
  const app = express();
  app.use(rateLimit({
    windowMs: WINDOW.seconds * 1000,
    limit: WINDOW.limit,
    legacyHeaders: legacy,
    standardHeaders: legacy ? false : "draft-8",
  }));
  app.get("/", (_: unknown, response: { json(value: unknown): void }) => {
    response.json({});
  });
  start(app);
}

async function startFastify(): Promise<void> {
  const app = fastify();
  await app.register(rateLimitPlugin, {
    max: WINDOW.limit,
    timeWindow: WINDOW.seconds * 1000,
  });
  app.get("/", () => ({}));
  await app.ready();
  start((request, response) => app.routing(request, response));
}

/** No limit, but 5 % of 503, 2 % of resets and 1 % of requests that hang. */
function startFaults(): void {
  let count = 0;
  start((request, response) => {
    // Spread evenly, so that every client meets the same.
    const share = (++count * 0.618034) % 1;
    if (share < 0.01) return;
    if (share < 0.03) return void request.socket.destroy();
    setTimeout(() => {
      response.writeHead(share < 0.08 ? 503 : 200);
      response.end("{}");
    }, 100);
  });
}

const kinds: Record<string, () => void | Promise<void>> = {
  "bucket": () => startBucket(200),
  "bucket-small": () => startBucket(40),
  "express-legacy": () => startExpress(true),
  "express-draft-8": () => startExpress(false),
  "fastify": startFastify,
  "faults": startFaults,
};

await kinds[process.argv[2]!]!();

/**
 * One rate-limited server in a process of its own: answers with the limit of the
 * kind that it is started as, and tells at `/log` when each request came and
 * what became of it.
 *
 *     deno run -A --config bench/deno.json bench/bulk/server.ts bucket PORT
 *
 * @module
 */

import { createServer, type RequestListener } from "node:http";
import process from "node:process";
import { bucket } from "../limits/limits.ts";
import { type PackageName, PACKAGES } from "../limits/packages.ts";
import { WINDOW } from "./settings.ts";

const [kind, port] = process.argv.slice(2);

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
  server.listen(Number(port), "127.0.0.1");
}

function startBucket(burst: number): void {
  const limit = bucket({ rate: 200, burst, tells: "jira" });
  start((_, response) => {
    const { status, headers } = limit(Date.now() / 1000, 0);
    response.writeHead(status, headers);
    response.end("{}");
  });
}

async function startPackage(name: PackageName): Promise<void> {
  start(await PACKAGES[name]({ ...WINDOW, work: () => Promise.resolve() }));
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
  "express-legacy": () => startPackage("express-legacy"),
  "express-draft-8": () => startPackage("express-draft-8"),
  "fastify": () => startPackage("fastify"),
  "faults": startFaults,
};

await kinds[kind!]!();

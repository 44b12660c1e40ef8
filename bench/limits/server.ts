/**
 * One server in a process of its own: the limit, or the limiter from npm, of a
 * row of the bench, in front of a handler that takes its time. For nginx and
 * HAProxy it is the server behind them, without a limit.
 *
 *     deno run -A --config bench/deno.json bench/limits/server.ts ROW PORT
 *
 * @module
 */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import process from "node:process";
import { type Limit, unlimited } from "./limits.ts";
import { PACKAGES } from "./packages.ts";
import { type Outage, ROWS } from "./rows.ts";

const [name, port] = process.argv.slice(2);
const { server: spec } = ROWS[name!]!;
const listener = spec.kind === "package"
  ? await PACKAGES[spec.package]({ ...spec, work: work(spec.latency) })
  : spec.kind === "limit"
  ? limited(spec.limit(), spec.latency, spec.away)
  : limited(unlimited(), spec.latency);

const server = createServer((request, response) => {
  // To warm up with, before the job.
  if (request.url === "/free") return void response.end("{}");
  if (spec.kind === "limit" && spec.outage) meetOutage(spec.outage);
  if (down === undefined) listener(request, response);
  else if (down !== "timeout") response.writeHead(down).end();
});
server.keepAliveTimeout = 120_000;
server.listen(Number(port), "127.0.0.1");

/** A handler's time: half to one and a half of `latency` seconds. */
function work(latency: number): () => Promise<void> {
  return () => sleep(latency * (0.5 + Math.random()));
}

function limited(limit: Limit, latency: number, away = 0): RequestListener {
  const done = work(latency);
  let atOnce = 0;
  const answer = async (_: IncomingMessage, response: ServerResponse) => {
    if (away > 0) await sleep(away);
    atOnce++;
    const { status, headers } = limit(Date.now() / 1000, atOnce);
    if (status === 200) await done();
    atOnce--;
    if (away > 0) await sleep(away);
    response.writeHead(status, headers).end("{}");
  };
  return (request, response) => void answer(request, response);
}

/** How requests fail now, if they do: not answered, or with a status. */
let down: "timeout" | 502 | 503 | undefined;
let outageIsDue = false;

/** The first request starts the clock. */
function meetOutage({ kind, from, seconds }: Outage): void {
  if (outageIsDue) return;
  outageIsDue = true;
  setTimeout(() => {
    if (kind === "refused") {
      server.close();
      server.closeAllConnections();
    } else down = kind;
  }, from * 1000);
  setTimeout(() => {
    if (kind === "refused") server.listen(Number(port), "127.0.0.1");
    // Those that still hang never had an answer.
    else if (kind === "timeout") server.closeAllConnections();
    down = undefined;
  }, (from + seconds) * 1000);
}

function sleep(seconds: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, seconds * 1000));
}

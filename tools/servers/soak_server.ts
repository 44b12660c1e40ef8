/// <reference lib="webworker" />
/**
 * A server, in a worker, that turns every fault on and off at random.
 *
 * @module
 */

import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { eventually } from "../../testing/eventually.ts";

/** What the server tells in the end. */
export interface ServerReport {
  /** Requests that came. */
  readonly requests: number;
  /** Connections with a request under way. */
  readonly busy: number;
}

type Fault = (request: IncomingMessage, response: ServerResponse) => void;

function refuse(status: number, retryAfter?: number): Fault {
  return (_, response) => {
    if (retryAfter !== undefined) {
      response.setHeader("Retry-After", String(retryAfter * Math.random()));
    }
    response.writeHead(status).end("x".repeat(Math.random() * 20_000));
  };
}

const FAULTS: readonly Fault[] = [
  refuse(429, 0.2),
  refuse(429),
  refuse(503, 0.1),
  refuse(503),
  refuse(504),
  refuse(404),
  (request) => (request.socket as Socket).resetAndDestroy(),
  (request) => request.socket.destroy(),
  (request) => request.socket.end("no HTTP at all\r\n\r\n"),
  (request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("half of it", () => request.socket.destroy());
  },
  () => {}, // never answers
];

/** The faults of this moment, and which part of the requests meet one. */
let faults: readonly Fault[] = [];
let share = 0;

function turn(): void {
  faults = FAULTS.filter(() => Math.random() < 0.4);
  share = faults.length === 0 ? 0 : Math.random() ** 2;
}

let requests = 0;
/** The open connections, each with its last answer; some never get to a request. */
const connections = new Map<Socket, ServerResponse | undefined>();
const server = createServer((request, response) => {
  requests++;
  connections.set(request.socket as Socket, response);
  if (Math.random() < share) {
    faults[Math.floor(Math.random() * faults.length)]!(request, response);
  } else {
    setTimeout(() => response.end(request.url), Math.random() * 20);
  }
});
server.on("connection", (socket) => {
  connections.set(socket, undefined);
  socket.on("close", () => connections.delete(socket));
});
const turning = setInterval(turn, 1000);

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  postMessage(`http://127.0.0.1:${port}`);
});

/** Open connections whose last request has not been answered to its end. */
function busy(): number {
  return [...connections.values()]
    .filter((response) => response && !response.writableFinished).length;
}

onmessage = async () => {
  clearInterval(turning);
  // What was given up in the last moment takes a moment to arrive here.
  await eventually(() => busy() === 0);
  postMessage({ requests, busy: busy() } satisfies ServerReport);
  for (const socket of connections.keys()) socket.destroy();
  server.close(() => close());
};

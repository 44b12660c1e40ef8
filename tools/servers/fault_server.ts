/**
 * Knows every way in which a server can let a client down, on real sockets of
 * 127.0.0.1.
 *
 * A path starts with a script of comma-separated steps, one for each request
 * that comes with the same address, the last one for all that follow:
 * `/reset,429,ok?id=7` resets the first request, refuses the second and answers
 * all others.
 *
 * @module
 */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What can be asked of the server; any other step is a status. */
const STEPS: Record<
  string,
  (response: ServerResponse, socket: Socket) => void
> = {
  ok: (response) => void response.end("ok"),
  json: (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end("{}");
  },
  reset: (_, socket) => void socket.resetAndDestroy(),
  close: (_, socket) => void socket.destroy(),
  cut: (response, socket) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("half of it", () => socket.destroy());
  },
  garbage: (_, socket) => void socket.end("no HTTP at all\r\n\r\n"),
  hang: () => {},
  big: (response) => {
    response.writeHead(503, { "content-type": "text/plain" });
    response.end("x".repeat(5_000_000));
  },
};

/** A running server. */
export interface FaultServer {
  /** The address, without a slash at the end. */
  readonly url: string;
  /** Milliseconds of `Date.now()` at which each request came. */
  requests(): readonly number[];
  /** Milliseconds between each request and the next. */
  gaps(): readonly number[];
  /** Connections that are open now. */
  open(): number;
  /** Ends the server and every connection. */
  close(): Promise<void>;
}

/** Starts a server; `headers` go with every refusal. */
export async function startFaultServer(
  headers: Record<string, string> = {},
): Promise<FaultServer> {
  const seen = new Map<string, number[]>();
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const path = request.url!;
    const times = seen.get(path) ?? [];
    seen.set(path, times);
    const steps = path.slice(1).replace(/[/?].*/, "").split(",");
    const step = steps[Math.min(times.length, steps.length - 1)]!;
    times.push(Date.now());
    const act = STEPS[step];
    if (act) return act(response, request.socket);
    response.writeHead(Number(step), headers);
    response.end(step);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => {
    server.listen(0, "127.0.0.1", listening);
  });
  const { port } = server.address() as AddressInfo;
  const requests = () => [...seen.values()].flat();
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    gaps: () =>
      requests().slice(1).map((time, index) => time - requests()[index]!),
    open: () => sockets.size,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Has `use` meet a server, which is ended in any case. */
export async function withFaultServer(
  use: (server: FaultServer) => Promise<void>,
  headers?: Record<string, string>,
): Promise<void> {
  const server = await startFaultServer(headers);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

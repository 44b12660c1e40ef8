/**
 * A server on 127.0.0.1 that answers each request with the next step of a
 * script, whatever its path: a client has its own idea of paths.
 *
 * @module
 */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

const JSON_TYPE = { "content-type": "application/json" };

/** What a step does that is no status. */
const STEPS: Record<
  string,
  (response: ServerResponse, socket: Socket, body: string) => void
> = {
  ok: (response, _, body) => {
    response.writeHead(200, JSON_TYPE);
    response.end(body);
  },
  reset: (_, socket) => void socket.resetAndDestroy(),
  close: (_, socket) => void socket.destroy(),
  cut: (response, socket, body) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": "1000" });
    response.write(body.slice(0, -1), () => socket.destroy());
  },
  big: (response) => {
    response.writeHead(429, { "content-type": "text/plain" });
    response.end("x".repeat(2_000_000));
  },
  garbage: (_, socket) => void socket.end("no HTTP at all\r\n\r\n"),
  hang: () => {},
};

/** A running server. */
export interface ScriptedServer {
  /** The address, without a slash at the end. */
  readonly url: string;
  /** Milliseconds of `Date.now()` at which each request came. */
  readonly requests: readonly number[];
  /** Ends the server and every connection. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @param script Comma-separated steps, the last one for all that follow.
 * @param headers What goes with every refusal.
 * @param body The JSON of an answer.
 */
export async function startScriptedServer(
  script: string,
  headers: Record<string, string>,
  body: string,
): Promise<ScriptedServer> {
  const steps = script.split(",");
  const requests: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    request.resume();
    const step = steps[Math.min(requests.length, steps.length - 1)]!;
    requests.push(Date.now());
    const act = STEPS[step];
    if (act) return act(response, request.socket, body);
    response.writeHead(Number(step), { ...JSON_TYPE, ...headers });
    response.end(
      JSON.stringify({ message: "refused", error: { message: "refused" } }),
    );
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => sockets.delete(socket));
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => {
    server.listen(0, "127.0.0.1", listening);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

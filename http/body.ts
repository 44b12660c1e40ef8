/**
 * Bodies that nobody will read, given up whatever stream they are, so that their
 * connections are free.
 *
 * @module
 */

import { causes, field, holders, items } from "./fields.ts";

const DEPTH = 2;

/**
 * Gives up the body of a response, or of the response that an error holds:
 * web-standard, node-fetch's, undici's, axios' (`data`), Node's own. A web
 * stream that somebody reads already is left to the reader.
 *
 * @param holder What an attempt returned or threw; anything else is left alone.
 */
export function discardBody(holder: unknown): void {
  discard(holder, 0);
}

/** `depth` counts the errors of errors of several attempts. */
function discard(holder: unknown, depth: number): void {
  for (const link of causes(holder)) {
    const several = depth < DEPTH ? items(field(link, "errors")) : [];
    for (const error of several) discard(error, depth + 1);
    for (const held of holders(link).filter(isResponseLike)) {
      // Not `data` where there is a body: node-fetch warns of it.
      giveUp(field(held, "body") ?? field(held, "data"));
      giveUp(held); // Node's own is itself the stream
    }
  }
}

function isResponseLike(value: object): boolean {
  return [field(value, "status"), field(value, "statusCode")]
    .some((status) => typeof status === "number");
}

function giveUp(stream: unknown): void {
  try {
    if (has<ReadableStream>(stream, "getReader", "cancel")) {
      // Rejects where somebody reads it: then it is the reader's.
      Promise.resolve(stream.cancel()).catch(broken);
    } else if (has<NodeStream>(stream, "read", "on", "once", "destroy")) {
      destroy(stream);
    } else if (has<AsyncIterable<unknown>>(stream, Symbol.asyncIterator)) {
      const ended = stream[Symbol.asyncIterator]().return?.();
      Promise.resolve(ended).catch(broken);
    }
  } catch (error) {
    broken(error);
  }
}

function has<T>(value: unknown, ...methods: PropertyKey[]): value is T {
  return methods.every((name) => typeof field(value, name) === "function");
}

/** The body broke by itself, and its connection with it: nothing is lost. */
function broken(_: unknown): void {}

/** What is needed of Node's readable streams: a server's response is none. */
interface NodeStream {
  readonly destroyed?: boolean;
  on(event: "error", listener: (error: unknown) => void): void;
  once(event: "unpipe", listener: (source: NodeStream) => void): void;
  destroy(): void;
}

function destroy(stream: NodeStream): void {
  if (stream.destroyed) return;
  // Node calls an error uncaught that nobody listens for.
  stream.on("error", broken);
  // What is only piped into it, as node-fetch 2 does it, would stay open.
  stream.once("unpipe", destroy);
  stream.destroy();
}

/**
 * Bodies that nobody will read, given up whatever stream they are, so that their
 * connections are free.
 *
 * @module
 */

import { causes, field, holders, isObject, items } from "./fields.ts";

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
    for (const held of holders(link)) {
      if (!isResponseLike(held)) continue;
      // Node's response is itself the stream.
      // Not `data` where there is a body: node-fetch warns of it.
      const body = field(held, "body") ?? field(held, "data");
      for (const stream of [body, held]) {
        if (isObject(stream)) giveUp(stream);
      }
    }
  }
}

function isResponseLike(value: unknown): value is object {
  return isObject(value) &&
    [field(value, "status"), field(value, "statusCode")]
      .some((status) => typeof status === "number");
}

function giveUp(stream: object): void {
  try {
    if (isWebStream(stream)) {
      if (!stream.locked) Promise.resolve(stream.cancel()).catch(broken);
    } else if (isNodeStream(stream)) {
      destroy(stream);
    } else {
      iteratorOf(stream)?.return?.()?.catch(broken);
    }
  } catch (error) {
    broken(error);
  }
}

/** The body broke by itself, and its connection with it: nothing is lost. */
function broken(_: unknown): void {}

function isWebStream(stream: object): stream is ReadableStream {
  return has(stream, "getReader") && has(stream, "cancel");
}

/** What of a readable stream of Node's is needed. */
interface NodeStream {
  readonly destroyed?: boolean;
  on(event: "error", listener: (error: unknown) => void): void;
  once(event: "unpipe", listener: (source: NodeStream) => void): void;
  destroy(): void;
}

/** A server's response to its own client can be destroyed as well: not read. */
function isNodeStream(stream: object): stream is NodeStream {
  return has(stream, "read") && has(stream, "on") && has(stream, "destroy");
}

/** Node calls an error uncaught that a stream has, but nobody listens for. */
function destroy(stream: NodeStream): void {
  if (stream.destroyed) return;
  stream.on("error", broken);
  // Of what is only piped, as node-fetch 2 does it, the source would go on.
  stream.once("unpipe", destroy);
  stream.destroy();
}

interface Returning {
  return?(): Promise<unknown>;
}

function iteratorOf(stream: object): Returning | undefined {
  if (!has(stream, Symbol.asyncIterator)) return undefined;
  // A generator that has been begun cannot be begun again.
  return has(stream, "return")
    ? stream as Returning
    : (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]() as Returning;
}

function has(stream: object, method: PropertyKey): boolean {
  return typeof field(stream, method) === "function";
}

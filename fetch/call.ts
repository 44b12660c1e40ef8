/**
 * A call of `fetch` as it was made: whatever package its `Request`, body and
 * signal are of, how to send it, and whether it can be sent again.
 *
 * @module
 */

import { discardBody } from "../http/body.ts";
import { field, isObject } from "../http/fields.ts";
import { toHeaders } from "../http/headers.ts";
import { isSignal } from "../time/any_signal.ts";

/**
 * Any function that is called as `fetch` is: the runtime's, undici's,
 * node-fetch's, a mock.
 *
 * @example A mock
 * ```ts
 * import { createFetch, type FetchLike } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const mock: FetchLike = (url: string) => Promise.resolve(new Response(url));
 * const response = await createFetch({ fetch: mock })("https://example.com/");
 * assertEquals(await response.text(), "https://example.com/");
 * ```
 */
export type FetchLike = (
  input: never,
  init?: never,
) => PromiseLike<{ readonly status: number }>;

/**
 * A request, as a `limiter` that is a function is asked for it.
 *
 * @example A limiter for searches, and one for the rest
 * ```ts
 * import { createFetch, type FetchRequest, RateLimiter } from "@jarkdown/retry";
 *
 * const search = new RateLimiter({ limit: 30, window: 60 });
 * const core = new RateLimiter();
 * const limiter = ({ url }: FetchRequest) =>
 *   new URL(url).pathname.startsWith("/search/") ? search : core;
 * const fetch = createFetch({ limiter });
 * ```
 */
export interface FetchRequest {
  /** The method, in upper case. */
  readonly method: string;
  /** The address; absolute, unless only the wrapped `fetch` knows its base. */
  readonly url: string;
  /** The headers. */
  readonly headers: Headers;
}

export type Input = Parameters<typeof fetch>[0];
export type Init = Parameters<typeof fetch>[1];

/** What all classes of `Request` have, as far as it is needed. */
interface AnyRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: unknown;
  readonly signal?: unknown;
  readonly body?: unknown;
  readonly bodyUsed?: boolean;
  clone(): Input;
}

/** One call, read when asked. */
export class FetchCall implements FetchRequest {
  readonly #input: Input;
  readonly #init: Init;
  readonly #request: AnyRequest | undefined;
  readonly #spent: boolean;
  #cloned = false;

  constructor(input: Input, init: Init) {
    this.#input = input;
    this.#init = init ?? undefined;
    this.#request = isRequest(input) ? input : undefined;
    this.#spent = this.#request?.bodyUsed === true;
  }

  get method(): string {
    const method = this.#init?.method ?? this.#request?.method ?? "GET";
    return String(method).toUpperCase();
  }

  get url(): string {
    const url = this.#request?.url ?? String(this.#input);
    // Only a browser has one, and Deno where it was given one.
    const base = field(field(globalThis, "location"), "href");
    return parse(url, base)?.href ?? url;
  }

  get headers(): Headers {
    return toHeaders(this.#init?.headers) ??
      toHeaders(this.#request?.headers) ?? new Headers();
  }

  /** The signal that `fetch` would heed: `null` takes the request's away. */
  get signal(): unknown {
    const own = this.#init?.signal;
    return own === undefined ? this.#request?.signal : own;
  }

  /** Whether its body can be sent more than once. */
  get repeats(): boolean {
    const own: unknown = this.#init?.body;
    if (own !== undefined && own !== null) return !isStream(own);
    // A clone of node-fetch's stops where not both are read.
    return !isNodeStream(this.#request?.body);
  }

  /** Whether the runtime's `fetch` would not refuse it as the caller's mistake. */
  get isValid(): boolean {
    const signal = this.signal ?? undefined;
    const foreign = signal !== undefined && !(signal instanceof AbortSignal);
    if (this.#spent || foreign) return false;
    try {
      const url = new URL(this.url, "http://localhost");
      const { body, ...rest } = membersOf(this.#init);
      new Request(url, {
        ...rest,
        method: this.method,
        signal: null,
        // It is whether there is one that matters.
        ...body !== undefined && body !== null && { body: "" },
      });
      return /^https?:$/.test(url.protocol);
    } catch {
      return false; // a bad address, header, method, ...
    }
  }

  /**
   * Sends it with `signal`, where another than its own is to end it; `again`
   * says that it may have to be sent once more.
   */
  async send(
    fetch: FetchLike,
    signal: AbortSignal | undefined,
    again: boolean,
  ): Promise<Response> {
    const send = fetch as typeof globalThis.fetch;
    const input = again ? this.#copy() : this.#input;
    const own = this.signal;
    // What is no signal is for `fetch` to refuse.
    const asIs = !signal || signal === own || own && !isSignal(own);
    const init = asIs ? this.#init : { ...membersOf(this.#init), signal };
    try {
      return await (init ? send(input, init) : send(input));
    } catch (error) {
      if (input !== this.#input) release(field(input, "body"));
      throw error;
    }
  }

  /** Gives up what will not be sent: of a call that failed, all that is left. */
  end(failed: boolean): void {
    if (failed) release(this.#init?.body);
    if (failed || this.#cloned) release(this.#request?.body);
  }

  /** A `Request` with a body is used up by sending it. */
  #copy(): Input {
    const request = this.#request;
    const other = (this.#init?.body ?? undefined) !== undefined;
    // Where it is undefined, the runtime does not tell.
    if (!request || request.body === null || other) return this.#input;
    this.#cloned = true;
    return request.clone();
  }
}

function isRequest(input: unknown): input is AnyRequest {
  return isObject(input) && typeof field(input, "url") === "string";
}

function parse(url: string, base: unknown): URL | undefined {
  try {
    return typeof base === "string" ? new URL(url, base) : new URL(url);
  } catch {
    return undefined; // relative: the wrapped `fetch` may know to what
  }
}

/** Whether it is read by sending it: a stream of any kind, or a generator. */
function isStream(body: unknown): boolean {
  return isObject(body) &&
    (typeof field(body, "getReader") === "function" || isNodeStream(body) ||
      Symbol.asyncIterator in body);
}

/** Streams of Node's, and npm's `form-data`, which is one. */
function isNodeStream(body: unknown): boolean {
  return typeof field(body, "pipe") === "function";
}

/** Frees a request body that was not sent, unless somebody reads it. */
function release(body: unknown): void {
  // As of a response, since that is what holds bodies.
  if (isStream(body)) discardBody({ status: 0, body });
}

/** What `fetch` reads where it is given an object with getters, as a `Request`. */
const MEMBERS = [
  "method",
  "headers",
  "body",
  "duplex",
  "referrer",
  "referrerPolicy",
  "mode",
  "credentials",
  "cache",
  "redirect",
  "integrity",
  "keepalive",
] as const;

function membersOf(init: Init): RequestInit {
  const members: Record<string, unknown> = { ...init };
  if (!init || isPlain(init)) return members;
  for (const name of MEMBERS) {
    const value = field(init, name);
    if (value !== undefined) members[name] = value;
  }
  return members;
}

function isPlain(init: object): boolean {
  const prototype = Object.getPrototypeOf(init);
  return prototype === null || prototype === Object.prototype;
}

/**
 * Knows how to be `fetch`, and to retry what can be sent again.
 *
 * @example In place of fetch
 * ```ts
 * import { createFetch } from "@jarkdown/retry/fetch";
 * import { assertEquals } from "@std/assert";
 *
 * const fetch = createFetch({ attemptTimeout: 10, limiter: "per-origin" });
 * const response = await fetch("data:,hello");
 * assertEquals(await response.text(), "hello");
 * ```
 *
 * @module
 */

import { checkFields, checkType } from "./arguments/check.ts";
import { resolveConfig } from "./config.ts";
import {
  type Failure,
  isFetchFailure,
  isRateLimit,
  isTransient,
} from "./http/failure.ts";
import { HttpError } from "./http_error.ts";
import { CONFIG_FIELDS, OPTION_FIELDS } from "./arguments/fields.ts";
import { checkOptions, type RetryOptions } from "./retry/options.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { retryWithBackoff } from "./retry.ts";
import { AnySignal } from "./time/any_signal.ts";

/**
 * How {@linkcode createFetch} goes about it: the options of `retryWithBackoff`
 * less `retryAfterHeader`, and these.
 *
 * @example A client of one API
 * ```ts
 * import { createFetch, type FetchOptions, RateLimiter } from "@jarkdown/retry";
 *
 * const options: FetchOptions = {
 *   limiter: new RateLimiter({ maxConcurrent: 8 }),
 *   attemptTimeout: 30,
 *   methods: ["GET", "PUT", "POST"], // this API's POST may be sent twice
 * };
 * const fetch = createFetch(options);
 * ```
 */
export interface FetchOptions
  extends Omit<RetryOptions, "retryAfterHeader" | "limiter"> {
  /**
   * The `fetch` to wrap.
   *
   * @default {globalThis.fetch}
   */
  readonly fetch?: typeof fetch | null | undefined;
  /**
   * One limiter for all requests, or `"per-origin"`: one for each origin, made
   * on demand.
   */
  readonly limiter?: RateLimiter | "per-origin" | null | undefined;
  /**
   * Methods that may be sent again after any failure, in any letter case.
   *
   * @default {["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]}
   */
  readonly methods?: readonly string[] | null | undefined;
}

const FETCH_OPTIONS: readonly (keyof FetchOptions)[] = [
  ...OPTION_FIELDS.filter((name) => name !== "retryAfterHeader"),
  "fetch",
  "methods",
];

/** What is often taken for an option. */
const ELSEWHERE = { name: "config", fields: CONFIG_FIELDS };

/** RFC 9110, section 9.2.2. */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

/**
 * Makes a `fetch` that retries, and otherwise keeps to `fetch`'s contract: it
 * resolves with the last `Response`, also if that is a 429, and rejects only
 * where `fetch` would.
 *
 * - Idempotent methods
 *   ({@link https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2 | RFC 9110, section 9.2.2})
 *   and requests with an `Idempotency-Key` header are retried after every
 *   failure that may pass. Other methods only where the server said that it did
 *   not process the request: 429, 503 with `Retry-After`, or
 *   `x-should-retry: true`.
 * - A body that can be sent again is sent again whole. A stream is sent once:
 *   its request's failure is handed over.
 * - `attemptTimeout` and `totalTimeout` end with the headers; the caller's
 *   signal goes on reaching the body.
 * - A mistake of the caller (a bad URL, a bad header) rejects at once.
 *
 * @example Given to a client, its own retries off
 * ```ts
 * import { createFetch, RateLimiter } from "@jarkdown/retry";
 *
 * const fetch = createFetch({ limiter: new RateLimiter() });
 * const options = { fetch, retry: 0 }; // ky.create(options), for example
 * ```
 *
 * @param options How to go about it.
 * @returns A function that is called as `fetch` is.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If an option has the wrong type or is unknown.
 */
export function createFetch(options?: FetchOptions | null): typeof fetch {
  checkFields("options", options ?? {}, FETCH_OPTIONS, ELSEWHERE);
  const { fetch: inner, methods, limiter, ...rest } = options ?? {};
  checkType(
    "fetch",
    inner,
    "a function",
    !inner || typeof inner === "function",
  );
  const repeatable = methodSet(methods ?? IDEMPOTENT);
  const perOrigin = limiter === "per-origin";
  const config = resolveConfig(rest.config);
  const common = { ...rest, config, ...!perOrigin && { limiter } };
  checkOptions(common);
  const once = { ...config, maxRetries: 0 };
  const limiters = new Map<string, RateLimiter>();
  const timed = Boolean(common.attemptTimeout ?? common.totalTimeout);

  return async (input, init) => {
    const call = prepare(input, init);
    const { request } = call;
    const mayRepeat = repeatable.has(request.method.toUpperCase()) ||
      request.headers.has("idempotency-key");
    const callers = signalsOf(input, init, common.signal);
    const either = callers.length > 1 ? new AnySignal(callers) : undefined;
    let body: AnySignal | undefined;
    let last: Response | undefined;
    try {
      return await retryWithBackoff(async (attempt) => {
        body?.leave();
        body = timed || either
          ? new AnySignal([...callers, attempt.signal])
          : undefined;
        const signal = body?.signal ?? callers[0] ?? null;
        const again = call.repeats && attempt.number <= config.maxRetries;
        last = await call.send(inner ?? globalThis.fetch, signal, again);
        return last;
      }, {
        ...common,
        config: call.repeats ? config : once,
        signal: either?.signal ?? callers[0],
        limiter: perOrigin ? limiterOf(limiters, request.url) : common.limiter,
        shouldRetry: async (failure, attempt) =>
          (mayRepeat || isUnprocessed(failure)) &&
          (common.shouldRetry
            ? await common.shouldRetry(failure, attempt)
            : isTransient(failure, config.retryableStatusCodes) ||
              request.url.startsWith("http") && isFetchFailure(failure.error)),
      });
    } catch (error) {
      if (error instanceof HttpError && error.response === last) return last;
      last = undefined;
      throw error;
    } finally {
      either?.leave();
      body?.leaveWith(last?.body);
    }
  };
}

function methodSet(methods: readonly string[]): Set<string> {
  const valid = Array.isArray(methods) &&
    methods.every((method) => typeof method === "string");
  checkType("methods", methods, "an array of strings", valid);
  return new Set(methods.map((method) => method.toUpperCase()));
}

function limiterOf(
  limiters: Map<string, RateLimiter>,
  url: string,
): RateLimiter {
  const { origin } = new URL(url);
  let limiter = limiters.get(origin);
  if (!limiter) limiters.set(origin, limiter = new RateLimiter());
  return limiter;
}

/** Whether the server said that it did not process the request. */
function isUnprocessed({ status, headers }: Failure): boolean {
  return isRateLimit(status, headers) ||
    status === 503 && headers?.has("retry-after") === true ||
    headers?.get("x-should-retry") === "true";
}

type Input = Parameters<typeof fetch>[0];
type Init = Parameters<typeof fetch>[1];

/** The caller's signal, which `null` takes away as with `fetch`, and the option. */
function signalsOf(
  input: Input,
  init: Init,
  option: AbortSignal | null | undefined,
): AbortSignal[] {
  const own = input instanceof Request ? input.signal : undefined;
  const signal = init?.signal === undefined ? own : init.signal;
  return [signal, option].filter((signal) => signal instanceof AbortSignal);
}

/** A request that was checked, and how to send it. */
interface Call {
  /** What is sent, for those who ask after its method, address and headers. */
  readonly request: Request;
  /** Whether its body can be sent again. */
  readonly repeats: boolean;
  /** Sends it; `again` says that it may have to be sent once more. */
  send(
    fetch: typeof globalThis.fetch,
    signal: AbortSignal | null,
    again: boolean,
  ): Promise<Response>;
}

/** Makes a `Request` of it first: what that throws is the caller's mistake. */
function prepare(input: Input, init: Init): Call {
  const repeats = !isStream(init?.body);
  if (input instanceof Request) {
    const request = new Request(input, { ...init, signal: null });
    return {
      request,
      repeats,
      send: (fetch, signal, again) =>
        fetch(again && request.body ? request.clone() : request, { signal }),
    };
  }
  // A body is taken anew for each attempt, a stream only once.
  const { body, ...rest } = init ?? {};
  return {
    request: new Request(input, {
      ...rest,
      ...repeats && { body: body! },
      signal: null,
    }),
    repeats,
    send: (fetch, signal) => fetch(input, { ...init, signal }),
  };
}

function isStream(body: unknown): boolean {
  return typeof body === "object" && body !== null &&
    (body instanceof ReadableStream || Symbol.asyncIterator in body);
}

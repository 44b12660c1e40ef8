/**
 * A drop-in `fetch` that retries what can be sent again.
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
import { CONFIG_FIELDS, OPTION_FIELDS } from "./arguments/fields.ts";
import { DEFAULT_RETRY, RetryConfig } from "./config.ts";
import {
  FetchCall,
  type FetchLike,
  type FetchRequest,
  type Init,
  type Input,
} from "./fetch/call.ts";
import { Origins } from "./fetch/origins.ts";
import { isUnsent } from "./fetch/unsent.ts";
import {
  type Failure,
  isFetchFailure,
  isRateLimit,
  isTransient,
} from "./http/failure.ts";
import { HttpError } from "./http_error.ts";
import { queueOf } from "./queue/queue.ts";
import type { RateLimiter } from "./rate_limiter.ts";
import { retryWithBackoff } from "./retry.ts";
import { checkOptions, type RetryOptions } from "./retry/options.ts";
import { AnySignal, isSignal } from "./time/any_signal.ts";

export type { FetchLike, FetchRequest };

/**
 * The options of {@linkcode createFetch}: those of `retryWithBackoff` less
 * `retryAfterHeader`, and these. `onGiveUp` is called as well where the last
 * refusal is not thrown, but handed over.
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
   * The `fetch` to wrap: any function that is called as `fetch` is. What it
   * takes is taken: its own classes of `Request`, `Headers`, `FormData` and
   * signals, and relative addresses where it knows to what.
   *
   * @default {globalThis.fetch}
   */
  readonly fetch?: FetchLike | null | undefined;
  /**
   * One limiter for all requests; or a function that has one for each request,
   * where an API has limits for each resource, or none; or `"per-origin"`: one
   * for each origin, made on demand, and dropped when it is not in use and has
   * nothing to remember.
   */
  readonly limiter?:
    | RateLimiter
    | ((request: FetchRequest) => RateLimiter | null | undefined)
    | "per-origin"
    | null
    | undefined;
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
 * Request Timeout, Too Early, Too Many Requests, the server's own failures, and
 * those of Cloudflare (520 to 524) and Anthropic (529) before it.
 */
const STATUS_CODES = [
  ...[408, 425, 429, 500, 502, 503, 504],
  ...[520, 521, 522, 523, 524, 529],
];

/**
 * Makes a `fetch` that retries, and otherwise keeps to `fetch`'s contract: it
 * resolves with the last `Response`, also if that is a 429, and rejects only
 * where `fetch` would.
 *
 * - A config that names no `retryableStatusCodes` has 408, 425, 429, 500, 502,
 *   503, 504, 520 to 524 and 529 here.
 * - Idempotent methods
 *   ({@link https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2 | RFC 9110, section 9.2.2})
 *   and requests with an `Idempotency-Key` header are retried after every
 *   failure that may pass. Other methods only where the server said that it did
 *   not process the request (429, 503 with `Retry-After`, or
 *   `x-should-retry: true`), or where no connection to it could be made.
 * - A body that can be sent again is sent again whole. A stream, of the web or
 *   of Node, is sent once: its request's failure is handed over.
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
 * @typeParam F The type of the `fetch` that is wrapped: what it takes, the
 * result takes as well.
 * @param options What to wrap, and how to retry.
 * @returns A function that is called as `fetch` is.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If an option has the wrong type or is unknown.
 */
export function createFetch<
  F extends FetchLike = (
    ...args: Parameters<typeof fetch>
  ) => ReturnType<typeof fetch>,
>(
  options?: FetchOptions & { readonly fetch?: F | null | undefined } | null,
): typeof fetch & F {
  checkFields("options", options ?? {}, FETCH_OPTIONS, ELSEWHERE);
  const { fetch: inner, methods, limiter, ...rest } = options ?? {};
  checkType(
    "fetch",
    inner,
    "a function",
    !inner || typeof inner === "function",
  );
  const repeatable = methodSet(methods ?? IDEMPOTENT);
  const config = configOf(rest.config);
  const common = { ...rest, config };
  checkOptions(common);
  const limiterOf = limiterFor(limiter);
  const timed = Boolean(common.attemptTimeout ?? common.totalTimeout);

  const retrying = async (input: Input, init?: Init): Promise<Response> => {
    const call = new FetchCall(input, init);
    const callers = [call.signal, common.signal].filter(isSignal);
    const any = callers.length > 1 || callers.some(isForeign)
      ? new AnySignal(callers)
      : undefined;
    let body: AnySignal | undefined;
    let loan: Loan = NO_LIMITER;
    let last: Response | undefined;
    try {
      loan = limiterOf(call);
      const mayRepeat = repeatable.has(call.method) ||
        call.headers.has("idempotency-key");
      // Those that the limiter refuses are not counted.
      const again = call.repeats && (loan.limiter || config.maxRetries > 0);
      return await retryWithBackoff(async (attempt) => {
        body?.leave();
        const signals = timed ? [...callers, attempt.signal] : callers;
        body = signals.length > 1 ? new AnySignal(signals) : undefined;
        const signal = body?.signal ?? signals[0];
        last = await call.send(inner ?? globalThis.fetch, signal, !!again);
        return last;
      }, {
        ...common,
        signal: any?.signal ?? callers[0],
        limiter: loan.limiter,
        shouldRetry: async (failure, attempt) =>
          call.repeats &&
          (mayRepeat || isRefusal(failure, loan.limiter) ||
            isUnprocessed(failure, call)) &&
          (common.shouldRetry
            ? await common.shouldRetry(failure, attempt)
            : isTransient(failure, config.retryableStatusCodes) ||
              isRefusal(failure, loan.limiter) ||
              isFetchFailure(failure.error) && call.isValid),
      });
    } catch (error) {
      if (error instanceof HttpError && error.response === last) return last;
      last = undefined;
      throw error;
    } finally {
      any?.leave();
      body?.leaveWith(last?.body);
      call.end(last === undefined);
      loan.giveBack();
    }
  };
  return retrying as typeof fetch & F;
}

/** Checked once; with the wider statuses, where it does not name its own. */
function configOf(init: FetchOptions["config"]): RetryConfig {
  const config = new RetryConfig(init);
  const codes = init?.retryableStatusCodes;
  const named = codes && codes !== DEFAULT_RETRY.retryableStatusCodes;
  return named
    ? config
    : new RetryConfig({ ...config, retryableStatusCodes: STATUS_CODES });
}

function methodSet(methods: readonly string[]): Set<string> {
  const valid = Array.isArray(methods) &&
    methods.every((method) => typeof method === "string");
  checkType("methods", methods, "an array of strings", valid);
  return new Set(methods.map((method) => method.toUpperCase()));
}

/** The limiter of one call, until it is given back. */
interface Loan {
  readonly limiter: RateLimiter | null | undefined;
  giveBack(): void;
}

const nothing = () => {};
const NO_LIMITER: Loan = { limiter: undefined, giveBack: nothing };

/** Where the limiter of each call comes from. */
function limiterFor(
  limiter: FetchOptions["limiter"],
): (call: FetchCall) => Loan {
  if (limiter === "per-origin") {
    const origins = new Origins();
    return ({ url }) => origins.borrow(url);
  }
  if (typeof limiter === "function") {
    return ({ method, url, headers }) => ({
      limiter: limiter({ method, url, headers }),
      giveBack: nothing,
    });
  }
  checkType(
    "limiter",
    limiter,
    `a RateLimiter, a function or "per-origin"`,
    !limiter || typeof limiter.acquire === "function",
  );
  const loan = { limiter, giveBack: nothing };
  return () => loan;
}

/** Whether the limiter was told that this status means "too fast". */
function isRefusal(
  { status, headers }: Failure,
  limiter: RateLimiter | null | undefined,
): boolean {
  return queueOf(limiter)?.refuses(status, headers) === true;
}

/** Whether the request was not processed: by the server's word, or never sent. */
function isUnprocessed(
  { error, status, headers }: Failure,
  { url }: FetchCall,
): boolean {
  return isRateLimit(status, headers) ||
    status === 503 && headers?.has("retry-after") === true ||
    headers?.get("x-should-retry") === "true" || isUnsent(error, url);
}

/** Whether another package's, which may not even have a reason. */
function isForeign(signal: AbortSignal): boolean {
  return !(signal instanceof AbortSignal);
}

/**
 * A rate limiter shared by concurrent calls, which learns the server's limit
 * from its answers: slow start until something is refused, then a token bucket
 * whose rate follows what was accepted, a circuit that one probe re-opens, and
 * a limit on requests in flight.
 *
 * @example One limiter for all workers
 * ```ts
 * import { RateLimiter, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new RateLimiter();
 * const pages = await Promise.all(["1", "2", "3"].map((page) =>
 *   retryWithBackoff(async ({ fetch }) => {
 *     const response = await fetch(`data:,${page}`);
 *     return await response.text();
 *   }, { limiter })
 * ));
 * assertEquals(pages, ["1", "2", "3"]);
 * ```
 *
 * @module
 */

import {
  checkFields,
  checkFunction,
  checkNumber,
  checkStatusCodes,
  checkType,
} from "./arguments/check.ts";
import { checkDialect, type DialectRow } from "./http/dialects.ts";
import type { HeadersLike } from "./http/headers.ts";
import type { LimiterEvent } from "./queue/events.ts";
import { Queue, queues } from "./queue/queue.ts";
import type { RateLimiterState } from "./queue/state.ts";

export type { DialectRow, LimiterEvent, RateLimiterState };

/**
 * What is known of the limit beforehand; nothing need be. Times are in seconds.
 *
 * @example A limit from the API's documentation
 * ```ts
 * import { RateLimiter, type RateLimiterOptions } from "@jarkdown/retry";
 *
 * const options: RateLimiterOptions = { limit: 100, window: 60 };
 * const limiter = new RateLimiter(options);
 * const release = await limiter.acquire();
 * release();
 * ```
 */
export interface RateLimiterOptions {
  /** Requests per second, > 0, finite. Without it, the limit is learned. */
  readonly rate?: number | null | undefined;
  /**
   * Requests that may go at once after a pause. An integer >= 1; goes with
   * `rate`.
   *
   * @default {1}
   */
  readonly burst?: number | null | undefined;
  /**
   * Requests in any `window` seconds. An integer >= 1; goes with `window`, and
   * not with `rate`.
   */
  readonly limit?: number | null | undefined;
  /** Seconds, > 0, finite, in which no more than `limit` requests go. */
  readonly window?: number | null | undefined;
  /**
   * Requests under way at the same time. An integer >= 1, or `Infinity`.
   *
   * A function that waits for another call under the same limiter holds its
   * own turn meanwhile: as many of them as `maxConcurrent` wait for each other
   * for ever. Give the inner calls a limiter of their own, or end the outer
   * turn before.
   *
   * @default {Infinity}
   */
  readonly maxConcurrent?: number | null | undefined;
  /**
   * The longest pause, > 0. A server that asks for more is asked again by one
   * request then.
   *
   * @default {3600}
   */
  readonly maxPause?: number | null | undefined;
  /**
   * A call whose wait is known to be longer is not kept: its last failure is
   * thrown at once, or a `RateLimitError`. >= 0.
   *
   * @default {Infinity}
   */
  readonly maxWait?: number | null | undefined;
  /**
   * Seconds without one accepted request, while none is due by what the server
   * named, after which everybody in the queue is given the refusal. > 0.
   *
   * @default {300}
   */
  readonly patience?: number | null | undefined;
  /**
   * Statuses that mean "too fast" on this server: nginx sends 503, HAProxy 403
   * by default. GitHub's 403 counts in any case. Integers from 400 to 599.
   *
   * @default {[429]}
   */
  readonly refusalStatusCodes?: readonly number[] | null | undefined;
  /**
   * How the headers of an API are read that the module does not know, before
   * those that it knows.
   */
  readonly dialect?: readonly DialectRow[] | null | undefined;
  /** Called at every change of course; what it throws is reported as uncaught. */
  readonly onEvent?: ((event: LimiterEvent) => unknown) | null | undefined;
}

const OPTIONS = [
  "rate",
  "burst",
  "limit",
  "window",
  "maxConcurrent",
  "maxPause",
  "maxWait",
  "patience",
  "refusalStatusCodes",
  "dialect",
  "onEvent",
] as const satisfies readonly (keyof RateLimiterOptions)[];

/**
 * What a server answered: a `Response`, or the status and headers that another
 * client has.
 *
 * @example From a client that is not `fetch`
 * ```ts
 * import { type Answer, RateLimiter } from "@jarkdown/retry";
 *
 * const answer: Answer = { status: 429, headers: { "retry-after": "0.01" } };
 * const limiter = new RateLimiter();
 * limiter.observe(answer);
 * await limiter.acquire(); // a hundredth of a second later
 * ```
 */
export interface Answer {
  /** The HTTP status. */
  readonly status: number;
  /** The headers, of any shape. */
  readonly headers?: HeadersLike | null | undefined;
}

/**
 * Ends a turn, and teaches the limiter if it is given the answer. Call it once
 * the answer is there, or will never be; a second call does nothing.
 *
 * @example With the answer
 * ```ts
 * import { RateLimiter, type Release } from "@jarkdown/retry";
 *
 * const limiter = new RateLimiter();
 * const release: Release = await limiter.acquire();
 * const response = await fetch("data:,hello");
 * release(response);
 * await response.text();
 * ```
 */
export type Release = (answer?: Answer) => void;

/**
 * One limiter for all calls that share a server's limit, so that a bulk job
 * runs at that limit without being told it.
 *
 * - The first request goes alone; each accepted one allows one more, until
 *   something is refused. Headers that tell what is left (`X-RateLimit-*`, the
 *   draft's `RateLimit`, and those of many APIs) are spent and not overdrawn.
 * - A refusal (429, or what `refusalStatusCodes` says) pauses everybody until
 *   the time that the server named. Then one request probes, and the others
 *   follow at the rate that was measured.
 * - A 503, a timeout or a broken connection is its own call's business. Many
 *   in a row are an outage: everybody waits, and one probes after 1, 2, 4 ...
 *   30 s.
 *
 * First come, first served. A limiter that nobody waits on keeps no timer.
 *
 * @example By hand
 * ```ts
 * import { RateLimiter } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new RateLimiter({ maxConcurrent: 4 });
 * const response = await limiter.run(() => fetch("data:,hello"));
 * assertEquals(await response.text(), "hello");
 * ```
 */
export class RateLimiter {
  readonly #queue: Queue;

  /**
   * Makes a limiter; without options, it learns the limit.
   *
   * @param options What is known of the limit.
   * @throws {RangeError} If an option is out of range.
   * @throws {TypeError} If an option has the wrong type or is unknown.
   */
  constructor(options?: RateLimiterOptions | null) {
    checkFields("options", options ?? {}, OPTIONS);
    this.#queue = new Queue(settingsOf(options ?? {}));
    queues.set(this, this.#queue);
  }

  /**
   * Waits for a turn, first come, first served. A turn that is free is had in
   * the same tick.
   *
   * @example In a worker
   * ```ts
   * import { RateLimiter } from "@jarkdown/retry";
   *
   * const limiter = new RateLimiter({ rate: 100 });
   * const release = await limiter.acquire({ signal: AbortSignal.timeout(1000) });
   * const response = await fetch("data:,hello");
   * release(response);
   * await response.text();
   * ```
   *
   * @param options The signal that ends the waiting.
   * @returns A function to call once the answer is there, or will never be.
   * @throws {unknown} The signal's reason, as soon as it aborts.
   * @throws {RateLimitError} If the wait is longer than `maxWait`, or nothing
   * was accepted for `patience`.
   */
  async acquire(
    options?: { readonly signal?: AbortSignal | null | undefined } | null,
  ): Promise<Release> {
    const signal = options?.signal ?? undefined;
    const turn = await this.#queue.acquire({ signal });
    return (answer) => void turn.release(answer);
  }

  /**
   * Waits for a turn, calls `fn`, and tells the limiter what came of it: the
   * `Response` or error with a status that `fn` returned or threw.
   *
   * @example Around a function
   * ```ts
   * import { RateLimiter } from "@jarkdown/retry";
   * import { assertEquals } from "@std/assert";
   *
   * const limiter = new RateLimiter();
   * const response = await limiter.run(() => fetch("data:,hello"));
   * assertEquals(response.status, 200);
   * await response.text();
   * ```
   *
   * @typeParam T What `fn` resolves with.
   * @param fn What to call when it is its turn.
   * @param options The signal that ends the waiting.
   * @returns What `fn` resolved with, a refused `Response` too.
   * @throws {unknown} What `fn` threw, and as of {@linkcode acquire}.
   */
  async run<T>(
    fn: () => T | PromiseLike<T>,
    options?: { readonly signal?: AbortSignal | null | undefined } | null,
  ): Promise<T> {
    checkFunction("fn", fn);
    const signal = options?.signal ?? undefined;
    const turn = await this.#queue.acquire({ signal });
    try {
      const value = await fn();
      turn.returned(value);
      return value;
    } catch (error) {
      turn.threw(error);
      throw error;
    }
  }

  /**
   * Teaches the limiter about a request that took no turn. The answer to one
   * that did goes to its `release`, or to `attempt.observe`.
   *
   * @example A refusal holds back everybody
   * ```ts
   * import { RateLimiter } from "@jarkdown/retry";
   * import { assert } from "@std/assert";
   *
   * const limiter = new RateLimiter();
   * const start = Date.now();
   * limiter.observe({ status: 429, headers: { "retry-after": "0.05" } });
   * await limiter.acquire();
   * assert(Date.now() - start >= 49);
   * ```
   *
   * @param answer A `Response`, or its status and headers.
   */
  observe(answer: Answer): void {
    this.#queue.observe(answer);
  }

  /**
   * What the limiter is doing and what it has learned, as of now: a frozen,
   * plain object.
   *
   * @example For a log
   * ```ts
   * import { RateLimiter } from "@jarkdown/retry";
   * import { assertEquals } from "@std/assert";
   *
   * const limiter = new RateLimiter();
   * limiter.observe({ status: 429, headers: { "retry-after": "30" } });
   * assertEquals(limiter.state.phase, "paused");
   * assertEquals(limiter.state.refused, 1);
   * ```
   */
  get state(): RateLimiterState {
    return this.#queue.state();
  }
}

type Settings = ConstructorParameters<typeof Queue>[0];

function settingsOf(options: RateLimiterOptions): Settings {
  const { rate, burst, limit, window, onEvent } = options;
  const maxConcurrent = options.maxConcurrent ?? Infinity;
  const maxPause = options.maxPause ?? 3600;
  const maxWait = options.maxWait ?? Infinity;
  const patience = options.patience ?? 300;
  const refusalStatusCodes = options.refusalStatusCodes ?? [429];
  const told = (value: unknown) => value !== undefined && value !== null;
  if (told(rate)) {
    const rule = "a finite number of requests per second > 0";
    checkNumber("rate", rate, rule, rate! > 0 && rate! < Infinity);
    checkType("rate", rate, "left out beside 'limit'", !told(limit));
  }
  if (told(burst)) {
    checkNumber("burst", burst, "an integer >= 1", isCount(burst!));
    checkType("burst", burst, "given together with 'rate'", told(rate));
  }
  if (told(limit)) {
    checkNumber("limit", limit, "an integer >= 1", isCount(limit!));
    checkType("limit", limit, "given together with 'window'", told(window));
  }
  if (told(window)) {
    const rule = "a finite number of seconds > 0";
    checkNumber("window", window, rule, window! > 0 && window! < Infinity);
    checkType("window", window, "given together with 'limit'", told(limit));
  }
  checkNumber(
    "maxConcurrent",
    maxConcurrent,
    "an integer >= 1 or Infinity",
    isCount(maxConcurrent) || maxConcurrent === Infinity,
  );
  checkNumber("maxPause", maxPause, "a number of seconds > 0", maxPause > 0);
  checkNumber("maxWait", maxWait, "a number of seconds >= 0", maxWait >= 0);
  checkNumber("patience", patience, "a number of seconds > 0", patience > 0);
  checkStatusCodes("refusalStatusCodes", refusalStatusCodes);
  if (told(options.dialect)) checkDialect(options.dialect!);
  if (told(onEvent)) checkFunction("onEvent", onEvent);
  return {
    given: told(rate)
      ? { rate: rate!, burst: burst ?? 1 }
      : told(limit)
      ? { limit: limit!, window: window! }
      : undefined,
    maxConcurrent,
    maxPause,
    maxWait,
    patience,
    refusalStatusCodes: [...refusalStatusCodes],
    dialect: options.dialect ?? undefined,
    onEvent: onEvent ?? undefined,
  };
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

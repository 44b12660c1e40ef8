/**
 * Knows how to call something until it succeeds: attempt, failure, decision,
 * delay, sleep.
 *
 * @example Two refusals, then the answer
 * ```ts
 * import { retryWithBackoff } from "@jarkdown/retry/retry";
 * import { assertEquals } from "@std/assert";
 *
 * let calls = 0;
 * const refused = { status: 503, headers: { "retry-after": "0.01" } };
 * const response = await retryWithBackoff(() =>
 *   ++calls < 3 ? new Response(null, refused) : new Response("here you are")
 * );
 * assertEquals(await response.text(), "here you are");
 * assertEquals(calls, 3);
 * ```
 *
 * @module
 */

import { backoffDelay } from "./backoff.ts";
import { checkType } from "./arguments/check.ts";
import {
  DEFAULT_RETRY,
  resolveConfig,
  RetryConfig,
  type RetryConfigInit,
} from "./config.ts";
import { Deadline } from "./time/deadline.ts";
import {
  type Failure,
  type FailureKind,
  isRateLimit,
  isRefusal,
  isResponse,
  isTransient,
  readFailure,
} from "./http/failure.ts";
import { HttpError } from "./http_error.ts";
import { type Attempt, CurrentAttempt, Turn } from "./retry/attempt.ts";
import {
  checkOptions,
  type RetryEvent,
  type RetryOptions,
} from "./retry/options.ts";
import type { RateLimiter } from "./rate_limiter.ts";
import { parseRetryAfter, serverDelay } from "./retry_after.ts";
import { sleep } from "./time/sleep.ts";

export { DEFAULT_RETRY, parseRetryAfter, RetryConfig };
export type {
  Attempt,
  Failure,
  FailureKind,
  RetryConfigInit,
  RetryEvent,
  RetryOptions,
};

/**
 * Calls `fn`, and calls it again while it fails in a way that may pass: HTTP
 * 429, 503 and 504, timeouts, broken connections. Waits between the calls as
 * long as the server asked, or else with exponential backoff and jitter.
 *
 * Whatever an HTTP client throws is understood as it is. A `Response` with a
 * status >= 400 is a failure, returned or thrown.
 *
 * Read the body inside `fn`: then a connection that breaks in the middle of it
 * is retried, and `attemptTimeout` covers it.
 *
 * @example Fetch and read
 * ```ts
 * import { ensureOk, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const items = await retryWithBackoff(async ({ signal }) => {
 *   const response = await fetch("data:application/json,[1,2]", { signal });
 *   return await ensureOk(response).json();
 * }, { attemptTimeout: 10 });
 * assertEquals(items, [1, 2]);
 * ```
 *
 * @example The last failure is thrown as it is
 * ```ts
 * import { HttpError, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const error = await assertRejects(
 *   () => retryWithBackoff(() => new Response("gone", { status: 404 })),
 *   HttpError,
 * );
 * assertEquals(await error.response.text(), "gone");
 * ```
 *
 * @typeParam T What `fn` resolves with.
 * @param fn What to call. It may be synchronous, and is called at once, in the
 * same tick.
 * @param options How to go about it.
 * @returns What `fn` resolved with, untouched.
 * @throws {unknown} The last failure, as it was thrown; the `signal`'s reason if
 * it aborted; what a hook threw.
 * @throws {HttpError} If the last attempt returned a `Response` with a status
 * >= 400.
 * @throws {DOMException} A `TimeoutError` if the last attempt ran into
 * `attemptTimeout` or `totalTimeout`.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If an option has the wrong type or is unknown.
 */
export async function retryWithBackoff<T>(
  fn: (attempt: Attempt) => T | PromiseLike<T>,
  options?: RetryOptions | null,
): Promise<T> {
  checkType("fn", fn, "a function", typeof fn === "function");
  const call = begin(options ?? NO_OPTIONS);
  if (call.signal?.aborted) throw call.signal.reason;
  const whole = limitWhole(call);
  let error: unknown;
  try {
    for (let number = 1;; number++) {
      const turn = call.limiter &&
        await takeTurn(call.limiter, call, error);
      try {
        const value = await attempt(call, number, turn, fn);
        if (!isRefusal(value)) {
          turn?.end(isResponse(value) ? value : { status: 200 });
          call.budget?.success();
          return value;
        }
        error = new HttpError(value);
      } catch (thrown) {
        error = thrown;
      }
      const event = await nextRetry(call, number, error, turn);
      if (sleeps(call, event)) await sleep(event.delay, call.stop);
    }
  } finally {
    whole?.close();
  }
}

/**
 * Makes a function that retries: with the parameters, the `this` and the result
 * of `fn`.
 *
 * @example Wrap once, call often
 * ```ts
 * import { retryable } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const getText = retryable(
 *   async (url: string) => await (await fetch(url)).text(),
 *   { attemptTimeout: 10 },
 * );
 * assertEquals(await getText("data:,hello"), "hello");
 * ```
 *
 * @typeParam This The `this` of `fn`.
 * @typeParam Args The parameters of `fn`.
 * @typeParam T What `fn` resolves with.
 * @param fn What to call.
 * @param options As of {@linkcode retryWithBackoff}.
 * @returns A function that rejects as {@linkcode retryWithBackoff} does.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If an option has the wrong type or is unknown.
 */
export function retryable<This, Args extends unknown[], T>(
  fn: (this: This, ...args: Args) => T | PromiseLike<T>,
  options?: RetryOptions | null,
): (this: This, ...args: Args) => Promise<T> {
  checkType("fn", fn, "a function", typeof fn === "function");
  checkOptions(options ?? NO_OPTIONS);
  const checked = { ...options, config: resolveConfig(options?.config) };
  return function (...args) {
    return retryWithBackoff(() => fn.apply(this, args), checked);
  };
}

const histories = new WeakMap<object, readonly RetryEvent[]>();

/**
 * The retries that led to a final error, oldest first; empty if it was never
 * retried. Kept beside the error, which is not touched. With `maxRetries` of
 * `Infinity`, the latest hundred of them.
 *
 * @example What was tried
 * ```ts
 * import { attemptsOf, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * try {
 *   await retryWithBackoff(() => new Response(null, { status: 503 }), {
 *     config: { maxRetries: 2, baseDelay: 0.001, jitter: false },
 *   });
 * } catch (error) {
 *   const delays = attemptsOf(error)?.map((event) => event.delay);
 *   assertEquals(delays, [0.001, 0.002]);
 * }
 * assertEquals(attemptsOf(new Error("another")), undefined);
 * ```
 *
 * @param error What a call rejected with.
 * @returns The events, or `undefined` for any other value.
 */
export function attemptsOf(error: unknown): readonly RetryEvent[] | undefined {
  return histories.get(error as object);
}

/**
 * One line for a log: what happened, which attempt it was and how long the
 * wait is.
 *
 * @example As `onRetry`
 * ```ts
 * import { logRetry, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * await retryWithBackoff(
 *   ({ number }) => new Response(null, number > 1 ? {} : { status: 429 }),
 *   {
 *     onRetry: (event) => void lines.push(logRetry(event)),
 *     config: { baseDelay: 0.01, jitter: false },
 *   },
 * );
 * assertEquals(lines, ["Rate limited (attempt 1/3), retrying in 0.0s"]);
 * ```
 *
 * @param event What `onRetry` got.
 * @returns The line, without a line end.
 */
export function logRetry(event: RetryEvent): string {
  const { attempt, retriesLeft, delay, failure } = event;
  const of = retriesLeft === Infinity ? "" : `/${attempt + retriesLeft}`;
  const wait = `${delay.toFixed(1)}s`;
  return `${title(failure)} (attempt ${attempt}${of}), retrying in ${wait}`;
}

function title({ kind, status, headers }: Failure): string {
  if (isRateLimit(status, headers)) return "Rate limited";
  if (kind === "timeout") return "Timed out";
  if (kind === "network") return "Network error";
  return status === undefined ? "Failed" : `HTTP ${status}`;
}

/** Calls `fn`; ends on time, also if `fn` does not look at its signal. */
function attempt<T>(
  { stop, attemptTimeout }: Call,
  number: number,
  turn: Turn | undefined,
  fn: (attempt: Attempt) => T | PromiseLike<T>,
): T | PromiseLike<T> {
  if (attemptTimeout === undefined) {
    return stop
      ? attemptUntil(stop, number, turn, fn)
      : fn(new CurrentAttempt(number, turn));
  }
  const deadline = new Deadline(stop, attemptTimeout, "attemptTimeout");
  const work = () => fn(new CurrentAttempt(number, turn, deadline));
  return deadline.race(work, discard);
}

/**
 * To listen to a signal costs more than a function that is done by the next
 * microtask: only who is not done by then is listened for.
 */
async function attemptUntil<T>(
  stop: AbortSignal,
  number: number,
  turn: Turn | undefined,
  fn: (attempt: Attempt) => T | PromiseLike<T>,
): Promise<T> {
  const deadline = new Deadline(stop);
  let pending = true;
  const settle = () => {
    pending = false;
  };
  try {
    const current = new CurrentAttempt(number, turn, deadline);
    const result = Promise.resolve(fn(current));
    result.then(settle, settle);
    await undefined;
    if (stop.aborted) {
      result.then(discard, settle);
      throw stop.reason;
    }
    return await (pending ? deadline.race(() => result, discard) : result);
  } finally {
    deadline.close();
  }
}

const NO_OPTIONS: RetryOptions = Object.freeze({});

/** What a call remembers before its first retry. */
const NO_EVENTS = Object.freeze([]) as readonly RetryEvent[] as RetryEvent[];

/** One call: its options as they were at its start, and what it remembers. */
type Call = ReturnType<typeof begin>;

function begin(options: RetryOptions) {
  checkOptions(options);
  const signal = options.signal ?? undefined;
  return {
    config: resolveConfig(options.config),
    retryAfterHeader: options.retryAfterHeader ?? undefined,
    signal,
    attemptTimeout: options.attemptTimeout ?? undefined,
    totalTimeout: options.totalTimeout ?? undefined,
    shouldRetry: options.shouldRetry ?? undefined,
    onRetry: options.onRetry ?? undefined,
    limiter: options.limiter ?? undefined,
    budget: options.budget ?? undefined,
    /** What ends the call: `signal`, and `totalTimeout` if it is given. */
    stop: signal,
    started: Date.now(),
    events: NO_EVENTS,
  };
}

/** Lets `totalTimeout` end the call as well. */
function limitWhole(call: Call): Deadline | undefined {
  if (call.totalTimeout === undefined) return undefined;
  const whole = new Deadline(call.signal, call.totalTimeout, "totalTimeout");
  call.stop = whole.signal;
  return whole;
}

/** Waits for the limiter, but no longer than for a sleep. */
async function takeTurn(
  limiter: RateLimiter,
  call: Call,
  lastError: unknown,
): Promise<Turn> {
  try {
    return new Turn(limiter, await limiter.acquire({ signal: call.stop }));
  } catch (reason) {
    // `totalTimeout` ran out in the queue: the last failure is the answer.
    if (call.signal?.aborted || call.events.length === 0) throw reason;
    remember(lastError, call.events);
    throw lastError;
  }
}

/** Decides on the next attempt, or throws what ends the call. */
async function nextRetry(
  call: Call,
  number: number,
  error: unknown,
  turn: Turn | undefined,
): Promise<RetryEvent> {
  const { signal, stop, budget } = call;
  const failure = describe(error);
  const { status, headers, response } = failure;
  turn?.end(status === undefined ? undefined : { status, headers });
  try {
    if (signal?.aborted) throw signal.reason;
    const retryable = call.shouldRetry
      ? await askWhether(call.shouldRetry, failure, stop)
      : isTransient(failure, call.config.retryableStatusCodes);
    if (!retryable) throw error;
    budget?.failure();
    if (number > call.config.maxRetries) throw error;
    if (budget?.allowsRetry === false) throw error;
    const event = describeRetry(call, number, failure);
    if (isTooLate(call, event.delay) || stop?.aborted) throw error;
    record(call, event);
    if (call.onRetry) {
      await ask(call.onRetry, event, stop);
      if (isTooLate(call, event.delay)) throw error;
    }
    discard(response);
    return event;
  } catch (thrown) {
    // `totalTimeout` ran out in a hook: the last failure is the answer.
    const expired = stop?.aborted && !signal?.aborted;
    const final = expired && thrown === stop?.reason ? error : thrown;
    if (final === error) remember(error, call.events);
    else discard(response);
    throw final;
  }
}

/** Whether the wait is the call's own, and not none at all. */
function sleeps({ limiter }: Call, event: RetryEvent): boolean {
  const { attempt, delay, failure } = event;
  // After a rate limit, the limiter is where to wait.
  if (limiter && isRateLimit(failure.status, failure.headers)) return false;
  // No delay is none, but only once: else nothing else would get its turn.
  return delay > 0 || attempt > 1;
}

/** Whether a retry after `delay` could not start within `totalTimeout`. */
function isTooLate(call: Call, delay: number): boolean {
  const { totalTimeout } = call;
  return totalTimeout !== undefined && elapsed(call) + delay >= totalTimeout;
}

function elapsed({ started }: Call): number {
  return (Date.now() - started) / 1000;
}

function describe(error: unknown): Failure {
  const failure = readFailure(error);
  const retryAfter = failure.headers && serverDelay(failure.headers);
  return retryAfter === undefined ? failure : { ...failure, retryAfter };
}

/** Calls a hook, but waits for it no longer than for a sleep. */
function ask<E, R>(
  hook: (event: E) => R | PromiseLike<R>,
  event: E,
  stop: AbortSignal | undefined,
): Promise<R> {
  return new Deadline(stop).race(() => hook(event));
}

async function askWhether(
  shouldRetry: NonNullable<RetryOptions["shouldRetry"]>,
  failure: Failure,
  stop: AbortSignal | undefined,
): Promise<boolean> {
  const answer = await ask(shouldRetry, failure, stop);
  if (typeof answer === "boolean") return answer;
  throw new TypeError(
    `Cannot retry as 'shouldRetry' must answer true or false: it answered ${answer}`,
    { cause: failure.error },
  );
}

function describeRetry(
  call: Call,
  number: number,
  failure: Failure,
): RetryEvent {
  const { config, retryAfterHeader } = call;
  const max = config.maxRetryAfter;
  const beforehand = number === 1 && retryAfterHeader !== undefined
    ? parseRetryAfter(retryAfterHeader, { max })
    : 0;
  // Asked for 0 s is not asked: `Retry-After: 0` must not become a hot loop.
  const asked = Math.min(failure.retryAfter || beforehand, max);
  return {
    attempt: number,
    retriesLeft: config.maxRetries - number,
    delay: asked || backoffDelay(config, number - 1),
    delaySource: asked ? "retry-after" : "backoff",
    elapsed: elapsed(call),
    failure,
  };
}

/** Retries that an endless call knows of: no more, lest it grow for ever. */
const LATEST = 100;

function record(call: Call, event: RetryEvent): void {
  if (call.events === NO_EVENTS) call.events = [event];
  else call.events.push(event);
  const endless = call.config.maxRetries === Infinity;
  if (endless && call.events.length > LATEST) call.events.shift();
}

function remember(error: unknown, events: readonly RetryEvent[]): void {
  if (Object(error) === error) histories.set(error as object, events);
}

/** Frees the connection of a response that nobody gets. */
function discard(value: unknown): void {
  const body = isResponse(value) ? value.body : null;
  // node-fetch has a stream of Node's instead.
  if (!(body instanceof ReadableStream) || body.locked) return;
  body.cancel().catch(() => {
    // The body broke by itself, and its connection with it.
  });
}

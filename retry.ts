/**
 * Retries with exponential backoff: attempt, failure, decision, delay, sleep,
 * until something succeeds or there is no sense in going on.
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

import { checkDelay, delayBefore } from "./backoff.ts";
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
  isTransient,
  readFailure,
} from "./http/failure.ts";
import { discardBody } from "./http/body.ts";
import { HttpError } from "./http_error.ts";
import { type Queue, queueOf, type Turn } from "./queue/queue.ts";
import { type Attempt, CurrentAttempt } from "./retry/attempt.ts";
import {
  checkOptions,
  type FailedAttempt,
  type GiveUpEvent,
  type GiveUpReason,
  type RetryEvent,
  type RetryOptions,
} from "./retry/options.ts";
import { parseRetryAfter, serverDelay } from "./retry_after.ts";
import { sleep } from "./time/sleep.ts";

export { DEFAULT_RETRY, parseRetryAfter, RetryConfig };
export type {
  Attempt,
  FailedAttempt,
  Failure,
  FailureKind,
  GiveUpEvent,
  GiveUpReason,
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
 * const items = await retryWithBackoff(async ({ fetch }) => {
 *   const response = await fetch("data:application/json,[1,2]");
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
 * @throws {RateLimitError} If the `limiter` gave it no turn for its first
 * attempt.
 * @throws {DOMException} A `TimeoutError` if the last attempt ran into
 * `attemptTimeout` or `totalTimeout`.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If an option has the wrong type or is unknown.
 */
export function retryWithBackoff<T>(
  fn: (attempt: Attempt) => T | PromiseLike<T>,
  options?: RetryOptions | null,
): Promise<T> {
  let call: Call;
  try {
    checkType("fn", fn, "a function", typeof fn === "function");
    checkOptions(options ?? NO_OPTIONS);
    call = begin(options ?? NO_OPTIONS);
  } catch (mistake) {
    return Promise.reject(mistake);
  }
  return run(call, fn);
}

/** Calls `fn` until it succeeds, or something ends the call. */
async function run<T>(
  call: Call,
  fn: (attempt: Attempt) => T | PromiseLike<T>,
): Promise<T> {
  if (call.signal?.aborted) throw call.signal.reason;
  try {
    for (;;) {
      const turn = call.queue &&
        (call.queue.tryAcquire(call.queues) ??
          await takeTurn(call.queue, call));
      const stop = stopOf(call);
      if (stop?.aborted) {
        turn?.release();
        throw stop.reason;
      }
      call.attempts++;
      let error: unknown;
      try {
        const value = await attempt(call, turn, fn);
        if (!isRefusal(value)) {
          turn?.returned(value);
          call.budget?.success();
          return value;
        }
        error = new HttpError(value);
      } catch (thrown) {
        error = thrown;
      }
      const event = await nextRetry(call, error, turn);
      if (sleeps(call, event)) await sleep(event.delay, stopOf(call));
    }
  } catch (thrown) {
    throw giveUp(call, thrown);
  } finally {
    call.whole?.close();
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
  const checked = { ...options, config: new RetryConfig(options?.config) };
  return function (...args) {
    return run(begin(checked), () => fn.apply(this, args));
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
  call: Call,
  turn: Turn | undefined,
  fn: (attempt: Attempt) => T | PromiseLike<T>,
): T | PromiseLike<T> {
  const { attempts, attemptTimeout } = call;
  const stop = stopOf(call);
  if (attemptTimeout === undefined) {
    if (!stop) return fn(new CurrentAttempt(attempts, turn));
    const deadline = new Deadline(stop);
    return until(
      stop,
      deadline,
      fn,
      new CurrentAttempt(attempts, turn, deadline),
    );
  }
  const deadline = new Deadline(stop, attemptTimeout, "attemptTimeout");
  const current = new CurrentAttempt(attempts, turn, deadline);
  return deadline.race(() => fn(current), discardBody);
}

/**
 * To listen to a signal costs more than a function that is done by the next
 * microtask: only who is not done by then is listened for.
 */
async function until<T>(
  stop: AbortSignal,
  deadline: Deadline,
  fn: (attempt: Attempt) => T | PromiseLike<T>,
  current: Attempt,
): Promise<T> {
  let pending = true;
  const settle = () => {
    pending = false;
  };
  try {
    const result = Promise.resolve(fn(current));
    result.then(settle, settle);
    await undefined;
    if (stop.aborted) {
      result.then(discardBody, settle);
      throw stop.reason;
    }
    return await (pending ? deadline.race(() => result, discardBody) : result);
  } finally {
    deadline.close();
  }
}

const NO_OPTIONS: RetryOptions = Object.freeze({});

/** What a call remembers before its first retry. */
const NO_EVENTS = Object.freeze([]) as readonly RetryEvent[] as RetryEvent[];

/** What the caller has to say on each retry. */
type Advice = Pick<
  RetryOptions,
  "retryAfterHeader" | "shouldRetry" | "delay" | "onRetry" | "onGiveUp"
>;

/** One call: its options as they were at its start, and what it remembers. */
type Call = ReturnType<typeof begin>;

function begin(options: RetryOptions) {
  const config = resolveConfig(options.config);
  const signal = options.signal ?? undefined;
  const totalTimeout = options.totalTimeout ?? undefined;
  return {
    config,
    signal,
    attemptTimeout: options.attemptTimeout ?? undefined,
    totalTimeout,
    /** Ends the call with `signal`, or when `totalTimeout` runs out. */
    whole: wholeOf(signal, totalTimeout),
    advice: adviceOf(options),
    queue: queueOf(options.limiter),
    budget: options.budget ?? undefined,
    started: Date.now(),
    /** Attempts so far. */
    attempts: 0,
    /** Those that were refused for their rate: the limiter's matter, and free. */
    refused: 0,
    /** Whether it waits in the limiter's queue, and not by itself. */
    queues: false,
    /** What the last of them failed with. */
    failure: undefined as Failure | undefined,
    events: NO_EVENTS,
  };
}

/** In an object of its own: most calls have none, and wait without. */
function adviceOf(options: RetryOptions): Advice {
  const { retryAfterHeader, shouldRetry, delay, onRetry, onGiveUp } = options;
  const any = shouldRetry || delay || onRetry || onGiveUp ||
    typeof retryAfterHeader === "string";
  return any
    ? { retryAfterHeader, shouldRetry, delay, onRetry, onGiveUp }
    : NO_OPTIONS;
}

function wholeOf(
  signal: AbortSignal | undefined,
  totalTimeout: number | undefined,
): Deadline | undefined {
  if (totalTimeout === undefined || signal?.aborted) return undefined;
  return new Deadline(signal, totalTimeout, "totalTimeout");
}

/** What ends the call: `signal`, and `totalTimeout` if it is given. */
function stopOf({ whole, signal }: Call): AbortSignal | undefined {
  return whole ? whole.signal : signal;
}

/** Waits for the limiter, but no longer than for a sleep. */
async function takeTurn(queue: Queue, call: Call): Promise<Turn> {
  const signal = stopOf(call);
  const within = call.totalTimeout && call.totalTimeout - elapsed(call);
  try {
    const refused = call.queues;
    return await queue.acquire({ signal, within, refused });
  } catch (thrown) {
    const stopped = signal?.aborted && thrown === signal.reason;
    throw stopped ? thrown : new Ending("limiter", thrown);
  }
}

/** Asks and tells the hooks, and gives the next retry or throws the end. */
async function nextRetry(
  call: Call,
  error: unknown,
  turn: Turn | undefined,
): Promise<RetryEvent> {
  const { signal, advice } = call;
  const failure = call.failure = describe(error);
  const verdict = turn?.release(failure);
  const free = verdict === "refused";
  if (free) call.refused++;
  if (signal?.aborted) throw signal.reason;
  const retryable = await isRetryable(call, failure) ||
    free && !advice.shouldRetry;
  // What is the limiter's matter, or an outage, is waited out in its queue.
  call.queues = free || verdict === "outage";
  const event = decide(call, failure, retryable, free);
  if (typeof event === "string") throw new Ending(event, error);
  record(call, event);
  if (advice.onRetry) {
    await ask(call, () => advice.onRetry!(event));
    if (isTooLate(call, event.delay)) throw new Ending("total-timeout", error);
  }
  discardBody(failure.error);
  return event;
}

/** Asks `shouldRetry`, or the default rules. */
function isRetryable(
  call: Call,
  failure: Failure,
): boolean | Promise<boolean> {
  const { shouldRetry } = call.advice;
  if (isAbortError(failure.error)) return false;
  return shouldRetry
    ? askWhether(call, shouldRetry, failure)
    : isTransient(failure, call.config.retryableStatusCodes);
}

async function askWhether(
  call: Call,
  shouldRetry: NonNullable<RetryOptions["shouldRetry"]>,
  failure: Failure,
): Promise<boolean> {
  const attempt: FailedAttempt = {
    number: call.attempts,
    retriesLeft: Math.max(0, call.config.maxRetries - call.attempts),
    elapsed: elapsed(call),
  };
  const answer = await ask(call, () => shouldRetry(failure, attempt));
  if (typeof answer === "boolean") return answer;
  throw new TypeError(
    `Cannot retry as 'shouldRetry' must answer true or false: it answered ${answer}`,
    { cause: failure.error },
  );
}

/** Calls a hook, but waits for it no longer than for a sleep. */
function ask<R>(call: Call, hook: () => R | PromiseLike<R>): Promise<R> {
  return new Deadline(stopOf(call)).race(hook);
}

/**
 * The next retry, or why there is none. Pure, but for the budget and what the
 * caller's `delay` and jitter do.
 */
function decide(
  call: Call,
  failure: Failure,
  retryable: boolean,
  free: boolean,
): RetryEvent | GiveUpReason {
  const { config, budget } = call;
  if (!retryable) return "not-retryable";
  if (!free) budget?.failure();
  if (stopOf(call)?.aborted) return "total-timeout";
  if (!free && failuresOf(call) > config.maxRetries) return "max-retries";
  if (!free && budget?.allowsRetry === false) return "budget";
  const event = describeRetry(call, failure);
  return isTooLate(call, event.delay) ? "total-timeout" : event;
}

/** What ends a call, where it is not the `stop` signal or a hook. */
class Ending {
  readonly reason: GiveUpReason;
  readonly error: unknown;

  constructor(reason: GiveUpReason, error: unknown) {
    this.reason = reason;
    this.error = error;
  }
}

/** The one place that says what a call ends with, given what ended it. */
function giveUp(call: Call, thrown: unknown): unknown {
  const { signal, advice, failure } = call;
  const stop = stopOf(call);
  let reason: GiveUpReason = "hook";
  let error = thrown;
  if (signal?.aborted) {
    reason = "aborted";
    error = signal.reason;
  } else if (thrown instanceof Ending) {
    ({ reason, error } = thrown);
    if (reason === "limiter" && failure) error = failure.error;
  } else if (stop?.aborted && thrown === stop.reason) {
    // In a hook, a sleep or the queue: the last failure is the answer.
    reason = "total-timeout";
    if (failure) error = failure.error;
  }
  if (failure && error === failure.error) remember(error, call.events);
  else discardBody(failure?.error);
  if (advice.onGiveUp) tell(advice.onGiveUp, call, reason, error);
  return error;
}

/** Tells of the end, which is what it is whatever the hook does. */
function tell(
  onGiveUp: NonNullable<RetryOptions["onGiveUp"]>,
  call: Call,
  reason: GiveUpReason,
  error: unknown,
): void {
  const { attempts, failure } = call;
  // What was aborted in mid-attempt has not failed.
  const failed = failure && !(reason === "aborted" && failure.error === error);
  const event: GiveUpEvent = {
    reason,
    attempts,
    elapsed: elapsed(call),
    error,
    ...failed && { failure },
  };
  // What is thrown in here becomes an unhandled rejection, as a bug in an
  // asynchronous hook does: told to everybody, and in nobody's way.
  new Promise(() => onGiveUp(event));
}

/** Attempts that failed by themselves, and so count against `maxRetries`. */
function failuresOf({ attempts, refused }: Call): number {
  return attempts - refused;
}

/** Whether the wait is the call's own, and not none at all. */
function sleeps({ queues }: Call, { attempt, delay }: RetryEvent): boolean {
  // No delay is none, but only once: else nothing else would get its turn.
  return !queues && (delay > 0 || attempt > 1);
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
  const told = failure.headers && serverDelay(failure.headers);
  const retryAfter = told === undefined
    ? failure.retryAfter
    : Math.max(told, failure.retryAfter ?? 0);
  return retryAfter === undefined ? failure : { ...failure, retryAfter };
}

function isAbortError(error: unknown): boolean {
  return (error as { name?: unknown } | null | undefined)?.name ===
    "AbortError";
}

function describeRetry(call: Call, failure: Failure): RetryEvent {
  const { config, attempts, advice } = call;
  const failures = failuresOf(call);
  const { retryAfterHeader } = advice;
  const max = config.maxRetryAfter;
  const beforehand = attempts === 1 && typeof retryAfterHeader === "string"
    ? parseRetryAfter(retryAfterHeader, { max })
    : 0;
  // Asked for 0 s is not asked: `Retry-After: 0` must not become a hot loop.
  const asked = call.queues
    ? failure.retryAfter ?? 0
    : Math.min(failure.retryAfter || beforehand, max);
  const backoff = () =>
    call.queues
      ? call.queue!.wait()
      : asked || delayBefore(config, failures - 1);
  const event: RetryEvent = {
    attempt: attempts,
    retriesLeft: config.maxRetries - failures,
    delay: backoff(),
    delaySource: asked ? "retry-after" : "backoff",
    elapsed: elapsed(call),
    failure,
  };
  return advice.delay && !call.queues
    ? withDelay(event, advice.delay(event), asked)
    : event;
}

/** What the `delay` option chose, but no less than the server asked for. */
function withDelay(
  event: RetryEvent,
  chosen: number | null | undefined,
  asked: number,
): RetryEvent {
  if (chosen === undefined || chosen === null) return event;
  const delay = checkDelay("delay", chosen, event.delay);
  return asked && asked >= delay
    ? event
    : { ...event, delay, delaySource: "backoff" };
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

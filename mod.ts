/**
 * Calls that survive rate limits, outages, timeouts and broken connections:
 * retries with `Retry-After`, exponential backoff and jitter, for `fetch` and
 * every other HTTP client, and one limiter that learns what a server bears. All
 * times are in seconds.
 *
 * - {@linkcode retryWithBackoff} calls a function until it succeeds;
 *   {@linkcode retryable} wraps one. {@linkcode RetryOptions} tells how,
 *   {@linkcode RetryConfig} how often and how long.
 * - {@linkcode createFetch} makes a `fetch` that retries what may be sent again.
 * - {@linkcode RateLimiter}, shared by all calls of one API, keeps them at the
 *   server's limit; {@linkcode RetryBudget} stops retries when all fails.
 * - {@linkcode HttpError} and {@linkcode ensureOk} make an error of a refused
 *   `Response`; {@linkcode attemptsOf} and {@linkcode logRetry} tell what was
 *   tried.
 * - {@linkcode parseRetryAfter}, {@linkcode serverDelay} and
 *   {@linkcode backoffDelay} are the parts, for those who build their own.
 *
 * @example The smallest call
 * ```ts
 * import { retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const response = await retryWithBackoff(() => fetch("data:,hello"));
 * assertEquals(await response.text(), "hello");
 * ```
 *
 * @module
 */

export {
  additiveJitter,
  backoffDelay,
  type BackoffOptions,
  equalJitter,
  fullJitter,
  type Jitter,
} from "./backoff.ts";
export { DEFAULT_RETRY, RetryConfig, type RetryConfigInit } from "./config.ts";
export { type Failure, type FailureKind } from "./http/failure.ts";
export {
  createFetch,
  type FetchLike,
  type FetchOptions,
  type FetchRequest,
} from "./fetch.ts";
export { type HeadersLike } from "./http/headers.ts";
export {
  ensureOk,
  HttpError,
  RateLimitError,
  type RateLimitErrorInit,
} from "./http_error.ts";
export { type LimitState } from "./queue/state.ts";
export {
  type Answer,
  type DialectRow,
  type LimiterEvent,
  RateLimiter,
  type RateLimiterOptions,
  type RateLimiterState,
  type Release,
} from "./rate_limiter.ts";
export {
  type Attempt,
  attemptsOf,
  type FailedAttempt,
  type GiveUpEvent,
  type GiveUpReason,
  logRetry,
  retryable,
  type RetryEvent,
  type RetryOptions,
  retryWithBackoff,
} from "./retry.ts";
export { RetryBudget, type RetryBudgetOptions } from "./retry_budget.ts";
export {
  parseRetryAfter,
  type RetryAfterOptions,
  serverDelay,
} from "./retry_after.ts";

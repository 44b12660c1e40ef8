/**
 * The names of the fields of a config and of the options, in one place, so that
 * each can tell when it is given one of the other's.
 *
 * @module
 */

/** What a `RetryConfig` is made of. */
export const CONFIG_FIELDS = [
  "maxRetries",
  "baseDelay",
  "maxDelay",
  "jitter",
  "retryableStatusCodes",
  "maxRetryAfter",
] as const;

/** The options of `retryWithBackoff`; `createFetch` has them too, but one. */
export const OPTION_FIELDS = [
  "config",
  "retryAfterHeader",
  "signal",
  "attemptTimeout",
  "totalTimeout",
  "shouldRetry",
  "delay",
  "onRetry",
  "onGiveUp",
  "limiter",
  "budget",
] as const;

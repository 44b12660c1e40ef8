/**
 * The configuration of retries: how many, how long, after which statuses; its
 * defaults and the values it may have.
 *
 * @example A patient configuration
 * ```ts
 * import { RetryConfig } from "@jarkdown/retry/config";
 * import { assertEquals } from "@std/assert";
 *
 * const patient = new RetryConfig({ maxRetries: 8, baseDelay: 2 });
 * assertEquals(patient.maxRetries, 8);
 * assertEquals(patient.maxDelay, 60); // seconds, the default
 * ```
 *
 * @module
 */

import { type BackoffOptions, type Jitter, resolveBackoff } from "./backoff.ts";
import { CONFIG_FIELDS, OPTION_FIELDS } from "./arguments/fields.ts";
import {
  checkFields,
  checkNumber,
  checkStatusCodes,
} from "./arguments/check.ts";

/**
 * What a {@linkcode RetryConfig} is made of; every field may be left out, and
 * `undefined` and `null` are as good as left out. Delays are in seconds.
 *
 * @example No jitter, and 500 is worth another try
 * ```ts
 * import { RetryConfig, type RetryConfigInit } from "@jarkdown/retry/config";
 * import { assertEquals } from "@std/assert";
 *
 * const init: RetryConfigInit = {
 *   jitter: false,
 *   retryableStatusCodes: [429, 500, 502, 503, 504],
 * };
 * assertEquals(new RetryConfig(init).jitter, false);
 * ```
 */
export interface RetryConfigInit extends BackoffOptions {
  /**
   * Retries after the first attempt. An integer >= 0, or `Infinity`.
   *
   * @default {3}
   */
  readonly maxRetries?: number | null | undefined;
  /**
   * HTTP statuses worth another try. Integers from 400 to 599.
   *
   * @default {[429, 503, 504]}
   */
  readonly retryableStatusCodes?: readonly number[] | null | undefined;
  /**
   * Cap of what a server may ask for, in seconds. From 0 to 2147483.
   *
   * @default {300}
   */
  readonly maxRetryAfter?: number | null | undefined;
}

const FIELDS: readonly (keyof RetryConfigInit)[] = CONFIG_FIELDS;

/** What is often taken for a field of the config. */
const ELSEWHERE = { name: "options", fields: OPTION_FIELDS };

const DEFAULT_CODES = Object.freeze([429, 503, 504]);

/**
 * How often to retry, how long to wait, and after what. Validated once, then
 * frozen: make one and share it. Where a config is accepted, a plain object
 * with any subset of the fields is too.
 *
 * @example Milliseconds passed by mistake are told
 * ```ts
 * import { RetryConfig } from "@jarkdown/retry/config";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(
 *   () => new RetryConfig({ baseDelay: 1000 }),
 *   RangeError,
 *   "in seconds, not milliseconds",
 * );
 * ```
 */
export class RetryConfig {
  /** Retries after the first attempt. */
  readonly maxRetries: number;
  /** Delay before the first retry, in seconds; doubles with each retry. */
  readonly baseDelay: number;
  /** Cap of the computed backoff, before jitter, in seconds. */
  readonly maxDelay: number;
  /** How the backoff is spread; `true` is `additiveJitter`. */
  readonly jitter: boolean | Jitter;
  /** HTTP statuses worth another try. */
  readonly retryableStatusCodes: readonly number[];
  /** Cap of what a server may ask for, in seconds. */
  readonly maxRetryAfter: number;

  /**
   * Fills in the defaults, checks every field and freezes the result.
   *
   * @param init The fields that differ from the defaults.
   * @throws {RangeError} If a value is out of range.
   * @throws {TypeError} If a value has the wrong type, or a field is unknown.
   */
  constructor(init?: RetryConfigInit | null) {
    const settings = resolveConfig(init ?? {});
    this.maxRetries = settings.maxRetries;
    this.baseDelay = settings.baseDelay;
    this.maxDelay = settings.maxDelay;
    this.jitter = settings.jitter;
    this.retryableStatusCodes = Object.freeze(settings.retryableStatusCodes);
    this.maxRetryAfter = settings.maxRetryAfter;
    Object.freeze(this);
  }
}

/** Fills in the defaults and checks the ranges; a `RetryConfig` is as it is. */
export function resolveConfig(
  init: RetryConfigInit | null | undefined,
): RetryConfig {
  if (init === undefined || init === null) return DEFAULT_RETRY;
  if (init instanceof RetryConfig) return init;
  checkFields("config", init, FIELDS, ELSEWHERE);
  const { baseDelay, maxDelay, jitter } = resolveBackoff(init);
  const maxRetries = init.maxRetries ?? 3;
  const maxRetryAfter = init.maxRetryAfter ?? 300;
  checkNumber(
    "maxRetries",
    maxRetries,
    "an integer >= 0 or Infinity",
    maxRetries >= 0 &&
      (Number.isInteger(maxRetries) || maxRetries === Infinity),
  );
  checkNumber(
    "maxRetryAfter",
    maxRetryAfter,
    "a number of seconds from 0 to 2147483",
    maxRetryAfter >= 0 && maxRetryAfter <= 2147483,
  );
  const retryableStatusCodes = resolveCodes(init.retryableStatusCodes);
  return {
    maxRetries,
    baseDelay,
    maxDelay,
    jitter,
    retryableStatusCodes,
    maxRetryAfter,
  };
}

function resolveCodes(
  codes: readonly number[] | null | undefined,
): readonly number[] {
  if (codes === undefined || codes === null) return DEFAULT_CODES;
  checkStatusCodes("retryableStatusCodes", codes);
  return [...codes];
}

/**
 * The defaults: 3 retries after 1, 2 and 4 seconds, each up to doubled by the
 * jitter, on 429, 503, 504, timeouts and network failures.
 *
 * @example Usage
 * ```ts
 * import { DEFAULT_RETRY } from "@jarkdown/retry/config";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(DEFAULT_RETRY.maxRetries, 3);
 * assertEquals(DEFAULT_RETRY.baseDelay, 1);
 * assertEquals(DEFAULT_RETRY.retryableStatusCodes, [429, 503, 504]);
 * ```
 */
export const DEFAULT_RETRY: RetryConfig = new RetryConfig();

/**
 * A snapshot of a rate limiter, for logs and gauges.
 *
 * @module
 */

/**
 * What a `RateLimiter` is doing and what it has learned: plain and frozen.
 *
 * @example A gauge
 * ```ts
 * import { RateLimiter, type RateLimiterState } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const state: RateLimiterState = new RateLimiter({ rate: 10 }).state;
 * assertEquals([state.phase, state.rate, state.waiting], ["flowing", 10, 0]);
 * ```
 */
export interface RateLimiterState {
  /**
   * `learning`: nothing was refused yet; `flowing`: at a known rate or by the
   * headers; `paused`: nobody goes until `resumeAt`; `probing`: one request is
   * under way to see whether the others may follow; `outage`: the server is
   * down, and is probed from time to time.
   */
  readonly phase: "learning" | "flowing" | "paused" | "probing" | "outage";
  /** Requests per second; `Infinity` where none is kept. */
  readonly rate: number;
  /** Requests in flight at the most; `Infinity` where no limit shows. */
  readonly inFlight: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
  /** Turns that were taken and not released. */
  readonly underWay: number;
  /** When the next request goes, where it has to wait. */
  readonly resumeAt: Date | undefined;
  /** Why it has to wait. */
  readonly reason: string | undefined;
  /** What the headers last said of each limit. */
  readonly limits: readonly LimitState[];
  /** Requests that were accepted so far. */
  readonly accepted: number;
  /** Requests that were refused for their rate so far. */
  readonly refused: number;
}

/** What the headers last said of one limit. */
export interface LimitState {
  /** Which limit: the header family and the name that the server gives it. */
  readonly id: string;
  /** All that it holds. */
  readonly limit: number;
  /** What is left. */
  readonly remaining: number;
  /** When all is back, where the server says so. */
  readonly resetAt: Date | undefined;
}

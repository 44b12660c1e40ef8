/**
 * The events of a rate limiter: what a log line about it needs.
 *
 * @module
 */

/**
 * A change of course of a `RateLimiter`. Times are in seconds.
 *
 * - `paused`: nobody goes for a while; `resumed`: requests flow again.
 * - `learned`: the rate, or how many may be in flight, changed.
 * - `outage`: the server is down; one request probes from time to time.
 * - `alone`, `shared`: the store of a shared limiter was lost, or is back.
 *
 * @example One line each
 * ```ts
 * import { type LimiterEvent, RateLimiter } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const onEvent = (event: LimiterEvent) => {
 *   if (event.type === "paused") lines.push(event.reason);
 * };
 * const limiter = new RateLimiter({ onEvent });
 * limiter.observe({ status: 429, headers: { "retry-after": "0.3" } });
 * await limiter.acquire();
 * assertEquals(lines, ["refused, the server named the time"]);
 * ```
 */
export type LimiterEvent =
  | {
    readonly type: "paused";
    /** Seconds until the next request goes; `Infinity` where nobody knows. */
    readonly seconds: number;
    /** When that is. */
    readonly resumeAt: Date | undefined;
    /** Why. */
    readonly reason: string;
    /** How many wait. */
    readonly waiting: number;
  }
  | {
    readonly type: "resumed";
    /** Seconds that the pause lasted. */
    readonly seconds: number;
    /** Requests per second from now on; `Infinity` where none is kept. */
    readonly rate: number;
    /** How many wait. */
    readonly waiting: number;
  }
  | {
    readonly type: "learned";
    /** Requests per second; `Infinity` where none is kept. */
    readonly rate: number;
    /** Requests in flight at the most; `Infinity` where no limit shows. */
    readonly inFlight: number;
  }
  | {
    readonly type: "outage";
    /** Seconds until the first probe. */
    readonly seconds: number;
    /** How many failures in a row showed it. */
    readonly failures: number;
    /** How many wait. */
    readonly waiting: number;
  }
  | {
    readonly type: "alone" | "shared";
    /** Requests per second that this process keeps to. */
    readonly rate: number;
  };

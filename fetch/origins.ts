/**
 * Limiters per origin: made on demand, kept while they are in use or remember
 * something.
 *
 * @module
 */

import type { RateLimiterState } from "../queue/state.ts";
import { RateLimiter } from "../rate_limiter.ts";

/** A limiter, and how many calls have it. */
interface Entry {
  readonly limiter: RateLimiter;
  calls: number;
}

/** How many may be kept that need not be: what one job goes to in turn. */
const SPARE = 64;

/** One limiter for each origin. */
export class Origins {
  readonly #entries = new Map<string, Entry>();
  #sweepAt = SPARE;

  /**
   * The limiter of an address, and what gives it back. Relative addresses have
   * one together: what they are relative to is the same for all.
   */
  borrow(url: string): { limiter: RateLimiter; giveBack: () => void } {
    const origin = originOf(url);
    let entry = this.#entries.get(origin);
    if (!entry) {
      this.#sweep();
      entry = { limiter: new RateLimiter(), calls: 0 };
      this.#entries.set(origin, entry);
    }
    entry.calls++;
    const { limiter } = entry;
    return { limiter, giveBack: () => void entry.calls-- };
  }

  /** Now and then: twice as many as are needed may come to be meanwhile. */
  #sweep(): void {
    if (this.#entries.size < this.#sweepAt) return;
    const now = Date.now();
    for (const [origin, { limiter, calls }] of this.#entries) {
      const needed = calls > 0 || remembers(limiter.state, now);
      if (!needed) this.#entries.delete(origin);
    }
    this.#sweepAt = Math.max(SPARE, 2 * this.#entries.size);
  }
}

/** Whether a limiter knows what a new one would have to learn. */
export function remembers(state: RateLimiterState, now: number): boolean {
  const flows = state.phase === "learning" || state.phase === "flowing";
  return !flows || state.rate < Infinity ||
    state.inFlight < Infinity ||
    // What has no end told is told again by the next answer.
    state.limits.some(({ resetAt }) => resetAt && resetAt.getTime() > now);
}

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return ""; // relative
  }
}

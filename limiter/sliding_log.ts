/**
 * A sliding window log: never more than a number of requests in any window of
 * time, where the user states the limit so. Pure but for its own ring.
 *
 * @module
 */

/** When the last requests went, as many as a window allows. */
export class SlidingLog {
  readonly #seconds: number;
  readonly #times: number[];
  #next = 0;

  constructor(limit: number, seconds: number) {
    this.#seconds = seconds;
    this.#times = new Array(limit).fill(-Infinity);
  }

  /** Seconds until the next request may go. */
  wait(now: number): number {
    const oldest = this.#times[this.#next]!;
    // A clock that was set back prolongs no wait beyond the window.
    return Math.min(this.#seconds, Math.max(0, oldest + this.#seconds - now));
  }

  /** One request goes. */
  add(now: number): void {
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#times.length;
  }
}

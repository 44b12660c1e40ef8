/**
 * A sliding window log: never more than a number of requests in any window of
 * time, where the user states the limit so. Pure but for its own ring.
 *
 * @module
 */

/** Seconds that an instant in seconds since the epoch is exact to. */
const PRECISION = 1e-6;

/** When the last requests went, as many as a window allows. */
export class SlidingLog {
  readonly #limit: number;
  readonly #seconds: number;
  /** Grows up to the limit, and is a ring from then on. */
  readonly #times: number[] = [];
  #next = 0;
  #now = 0;

  constructor(limit: number, seconds: number) {
    this.#limit = limit;
    this.#seconds = seconds;
  }

  /** Seconds until the next request may go. */
  wait(now: number): number {
    this.#advance(now);
    if (this.#times.length < this.#limit) return 0;
    const seconds = this.#times[this.#next]! + this.#seconds - now;
    return seconds < PRECISION ? 0 : seconds;
  }

  /** One request goes. */
  add(now: number): void {
    this.#advance(now);
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#limit;
  }

  /** A clock that is set back takes the past along. */
  #advance(now: number): void {
    const back = this.#now - now;
    this.#now = now;
    if (back <= 0) return;
    for (let index = 0; index < this.#times.length; index++) {
      this.#times[index]! -= back;
    }
  }
}

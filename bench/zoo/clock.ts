/**
 * A virtual clock in place of the runtime's: `Date`, `performance.now`,
 * `setTimeout`, `clearTimeout` and `Math.random`.
 *
 * Microtasks drain whole between two events, however long the chain of
 * promises: each event that can wake somebody has a real macrotask to itself.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { Heap } from "./heap.ts";
import type { Random } from "./random.ts";

/** What is due at an instant, in seconds since the start. */
interface Event {
  at: number;
  /** Breaks ties: what was planned first happens first. */
  order: number;
  run: (() => void) | undefined;
  /** Whether it can wake the client, so that promises must settle after it. */
  wakes: boolean;
}

/** Macrotasks queued at once: one turn of the runtime's own loop serves all. */
const BATCH = 64;

/** A timer that the client set; shaped as Node's, whose users may `unref` it. */
class Timer {
  readonly event: Event;
  constructor(event: Event) {
    this.event = event;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** Time that passes only from event to event. */
export class VirtualClock {
  /** Seconds since the start. */
  now = 0;
  /** The client's `Date.now()` at the start, in ms. */
  readonly epoch: number;
  readonly #lateness: Random;
  readonly #events = new Heap<Event>();
  #planned = 0;

  constructor(epoch: number, lateness: Random) {
    this.epoch = epoch;
    this.#lateness = lateness;
  }

  /** Plans `run` for `at` seconds since the start. */
  plan(at: number, run: () => void, wakes = false): Event {
    const event = {
      at: Math.max(at, this.now),
      order: this.#planned++,
      run,
      wakes,
    };
    this.#events.push(event);
    return event;
  }

  /**
   * Runs events until `done()`; resolves to false where no event is left before.
   * `before(at)` hears of each event that is next.
   */
  run(done: () => boolean, before: (at: number) => void): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let queued = 0;
      let settle: (() => void) | undefined;
      const step = () => {
        queued--;
        try {
          while (!settle) {
            const event = done() ? undefined : this.#pop();
            if (event) before(event.at);
            if (done()) settle = () => resolve(true);
            else if (!event) settle = () => resolve(false);
            else {
              this.now = event.at;
              event.run!();
              if (event.wakes) break;
            }
          }
        } catch (error) {
          settle = () => reject(error);
        }
        // Those that are queued still run: nothing may be left of this.
        if (queued > 0) return;
        if (settle) settle();
        else queue();
      };
      const queue = () => {
        for (; queued < BATCH; queued++) setImmediate(step);
      };
      queue();
    });
  }

  /** Takes the place of the runtime's clock; the result gives it back. */
  install(random: Random): () => void {
    const real = {
      Date: globalThis.Date,
      setTimeout: globalThis.setTimeout,
      clearTimeout: globalThis.clearTimeout,
    };
    const realRandom = Math.random;
    const now = () => Math.floor(this.epoch + this.now * 1000);
    const setTimeout = (
      callback: (...rest: unknown[]) => void,
      delay?: number,
      ...rest: unknown[]
    ) => {
      const ms = Math.trunc(Number(delay ?? 0));
      const wait = ms >= 1 && ms <= 2 ** 31 - 1 ? ms : 1;
      const late = 1.2 * this.#lateness();
      return new Timer(
        this.plan(
          this.now + (wait + late) / 1000,
          () => callback(...rest),
          true,
        ),
      );
    };
    const clearTimeout = (timer?: unknown) => {
      if (timer instanceof Timer) timer.event.run = undefined;
    };
    class VirtualDate extends real.Date {
      constructor(...parts: [] | [number]) {
        super(...(parts.length === 0 ? [now()] as const : parts));
      }
      static override now(): number {
        return now();
      }
    }
    Object.assign(globalThis, { Date: VirtualDate, setTimeout, clearTimeout });
    Math.random = random;
    performance.now = () => this.now * 1000;
    return () => {
      Object.assign(globalThis, real);
      Math.random = realRandom;
      delete (performance as { now?: unknown }).now;
    };
  }

  /** The next event that was not cancelled. */
  #pop(): Event | undefined {
    for (;;) {
      const event = this.#events.pop();
      if (!event || event.run) return event;
    }
  }
}

/**
 * A virtual clock: `Date` and the timers of a run without waiting, played from
 * an event heap.
 *
 * @module
 */

import { setImmediate as immediate } from "node:timers";
import type { Random } from "./draw.ts";

/** The start of a run, in seconds since 1970. */
export const EPOCH = 1_800_000_000;

/** How late a timer may be, in seconds. */
const TIMER_LATENESS = 0.0012;

/** Something that happens at a time, in seconds since the run began. */
export interface Event {
  readonly time: number;
  readonly order: number;
  act: (() => void) | undefined;
}

/** What `setTimeout` returns in Node, as far as anybody asks for it. */
class Timer {
  event: Event | undefined;

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  hasRef() {
    return true;
  }
}

/** The events to come, the earliest first; equal times in the order they came. */
export class Clock {
  now = 0;
  readonly #heap: Event[] = [];
  #orders = 0;

  /** Plans `act` for `time`, in seconds since the run began. */
  at(time: number, act: () => void): Event {
    const event: Event = { time, order: this.#orders++, act };
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = event;
    return event;
  }

  /** The next event, and its time as of now; undefined if there is none. */
  next(): Event | undefined {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return undefined;
      if (event.act === undefined) continue;
      this.now = Math.max(this.now, event.time);
      return event;
    }
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return top;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) {
        child++;
      }
      if (isBefore(last, heap[child]!)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return top;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.time < b.time || a.time === b.time && a.order < b.order;
}

/** Everything that promises still have to do is done after this. */
export function settle(): Promise<void> {
  return new Promise((resolve) => void immediate(resolve));
}

/** Puts `clock` in the place of the real one, until the returned function. */
export function install(clock: Clock, random: Random): () => void {
  const { Date: RealDate, setTimeout, clearTimeout } = globalThis;
  const { random: realRandom } = Math;
  const milliseconds = () => Math.floor((EPOCH + clock.now) * 1000);
  const lateness = random.fork();
  const numbers = random.fork();
  const VirtualDate = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [milliseconds()] : args,
        newTarget,
      ),
    get: (target, name) =>
      name === "now" ? milliseconds : Reflect.get(target, name),
  });
  const virtualTimeout = (
    act: (...args: unknown[]) => void,
    delay = 0,
    ...args: unknown[]
  ) => {
    const timer = new Timer();
    const wait = Math.max(1, Math.floor(delay)) / 1000;
    const late = lateness.unit() * TIMER_LATENESS;
    timer.event = clock.at(clock.now + wait + late, () => act(...args));
    return timer;
  };
  const virtualClear = (timer: unknown) => {
    if (timer instanceof Timer) timer.event!.act = undefined;
  };
  Object.assign(globalThis, {
    Date: VirtualDate,
    setTimeout: virtualTimeout,
    clearTimeout: virtualClear,
  });
  Math.random = () => numbers.unit();
  return () => {
    Object.assign(globalThis, { Date: RealDate, setTimeout, clearTimeout });
    Math.random = realRandom;
  };
}

/**
 * Knows how to wait: timers of any length, one abortable sleep, and one
 * listener per `AbortSignal` however many calls wait on it.
 *
 * @module
 */

/** The longest timer, in milliseconds; every runtime fires longer ones at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Seconds as milliseconds, rounded up so that nothing happens early. A
 * microsecond is forgiven: 16.1 * 1000 is 16100.000000000002, and instants in
 * seconds are exact to a quarter of that.
 */
function toMilliseconds(seconds: number): number {
  return Math.max(0, Math.ceil(seconds * 1000 - 1e-3));
}

/** What is woken by an {@linkcode Alarm}. */
export interface Wakeable {
  wake(): void;
}

/** Wakes somebody once, `seconds` from now, unless cancelled before. */
export class Alarm {
  readonly #sleeper: Wakeable;
  readonly #due: number;
  #left: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seconds: number, sleeper: Wakeable) {
    this.#sleeper = sleeper;
    this.#left = toMilliseconds(seconds);
    this.#due = Date.now() + this.#left;
    this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const step = Math.min(this.#left, LONGEST_TIMER);
    this.#left -= step;
    this.#timer = setTimeout(Alarm.#fired, step, this);
  }

  static #fired(alarm: Alarm): void {
    // Timers fire up to a millisecond early. A larger gap is a clock that was set.
    if (alarm.#left === 0 && alarm.#due - Date.now() === 1) alarm.#left = 1;
    if (alarm.#left > 0) alarm.#arm();
    else alarm.#sleeper.wake();
  }
}

/** What waits on an `AbortSignal` and is told, once, when it aborts. */
export interface Abortable {
  abort(reason: unknown): void;
}

/** The one listener of a signal: tells everybody who waits. */
class Fanout {
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<Abortable>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(waiter: Abortable): void {
    if (this.#waiting.size === 0) this.#signal.addEventListener("abort", this);
    this.#waiting.add(waiter);
  }

  delete(waiter: Abortable): void {
    const left = this.#waiting.delete(waiter) && this.#waiting.size === 0;
    if (left) this.#signal.removeEventListener("abort", this);
  }

  handleEvent(): void {
    for (const waiter of this.#waiting) {
      this.delete(waiter);
      waiter.abort(this.#signal.reason);
    }
  }
}

const fanouts = new WeakMap<AbortSignal, Fanout>();

/**
 * Tells `waiter` when `signal` aborts. Runtimes search their list of listeners
 * at every change of it, so that a listener per call is quadratic.
 */
export function onAbort(signal: AbortSignal, waiter: Abortable): void {
  let fanout = fanouts.get(signal);
  if (!fanout) fanouts.set(signal, fanout = new Fanout(signal));
  fanout.add(waiter);
}

/** Takes back {@linkcode onAbort}; the last to leave takes the listener along. */
export function offAbort(signal: AbortSignal, waiter: Abortable): void {
  fanouts.get(signal)?.delete(waiter);
}

/** One sleep: woken by its alarm, or by its signal. */
class Sleep implements Wakeable, Abortable {
  readonly #alarm: Alarm;
  readonly #resolve: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #reject: ((reason: unknown) => void) | undefined;

  constructor(
    seconds: number,
    resolve: () => void,
    signal?: AbortSignal,
    reject?: (reason: unknown) => void,
  ) {
    this.#resolve = resolve;
    this.#signal = signal;
    this.#reject = reject;
    this.#alarm = new Alarm(seconds, this);
    if (signal) onAbort(signal, this);
  }

  wake(): void {
    if (this.#signal) offAbort(this.#signal, this);
    this.#resolve();
  }

  abort(reason: unknown): void {
    this.#alarm.cancel();
    this.#reject?.(reason);
  }
}

/**
 * Resolves after `seconds`, never earlier, and never in the same tick. Rejects
 * with the signal's reason as soon as it aborts.
 */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!signal) new Sleep(seconds, resolve);
    else if (signal.aborted) reject(signal.reason);
    else new Sleep(seconds, resolve, signal, reject);
  });
}

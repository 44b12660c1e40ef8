/**
 * Timers of any length, one abortable sleep, and one shared listener for each
 * `AbortSignal`, however many calls wait on it.
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

/** A timer of any length; who extends it says what happens when it rings. */
abstract class Timer {
  readonly #due: number;
  #left: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seconds: number) {
    this.#left = toMilliseconds(seconds);
    this.#due = Date.now() + this.#left;
    this.#arm();
  }

  /** Called once, `seconds` after the construction, unless cancelled before. */
  abstract wake(): void;

  cancel(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const step = Math.min(this.#left, LONGEST_TIMER);
    this.#left -= step;
    // Bound, which takes less than a closure. Not as a third argument: whoever
    // mocks `setTimeout` by a function of two forgets that.
    this.#timer = setTimeout(Timer.#fired.bind(undefined, this), step);
  }

  static #fired(timer: Timer): void {
    // Timers fire up to a millisecond early. A larger gap is a clock that was set.
    if (timer.#left === 0 && timer.#due - Date.now() === 1) timer.#left = 1;
    if (timer.#left > 0) timer.#arm();
    else timer.wake();
  }
}

/** What is woken by an {@linkcode Alarm}. */
export interface Wakeable {
  wake(): void;
}

/** Wakes somebody once, `seconds` from now, unless cancelled before. */
export class Alarm extends Timer {
  readonly #sleeper: Wakeable;

  constructor(seconds: number, sleeper: Wakeable) {
    super(seconds);
    this.#sleeper = sleeper;
  }

  override wake(): void {
    this.#sleeper.wake();
  }
}

/** What waits on an `AbortSignal` and is told, once, when it aborts. */
export interface Abortable {
  abort(reason: unknown): void;
}

/** The one listener of a signal: tells everybody who waits. */
class SharedListener {
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<Abortable>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(waiter: Abortable): void {
    if (this.#waiting.size === 0) {
      this.#signal.addEventListener("abort", this.#listen);
    }
    this.#waiting.add(waiter);
  }

  delete(waiter: Abortable): void {
    const left = this.#waiting.delete(waiter) && this.#waiting.size === 0;
    if (left) this.#signal.removeEventListener("abort", this.#listen);
  }

  // A function, since not all signals that are not the runtime's take objects.
  readonly #listen = () => {
    for (const waiter of this.#waiting) {
      this.delete(waiter);
      waiter.abort(this.#signal.reason);
    }
  };
}

const listeners = new WeakMap<AbortSignal, SharedListener>();

/**
 * Tells `waiter` when `signal` aborts. Runtimes search their list of listeners
 * at every change of it, so that a listener per call is quadratic.
 */
export function onAbort(signal: AbortSignal, waiter: Abortable): void {
  let listener = listeners.get(signal);
  if (!listener) listeners.set(signal, listener = new SharedListener(signal));
  listener.add(waiter);
}

/** Takes back {@linkcode onAbort}; the last to leave takes the listener along. */
export function offAbort(signal: AbortSignal, waiter: Abortable): void {
  listeners.get(signal)?.delete(waiter);
}

/** One sleep: ended by its timer, or by its signal. */
class Sleep extends Timer implements Abortable {
  readonly #resolve: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #reject: ((reason: unknown) => void) | undefined;

  constructor(
    seconds: number,
    resolve: () => void,
    signal?: AbortSignal,
    reject?: (reason: unknown) => void,
  ) {
    super(seconds);
    this.#resolve = resolve;
    this.#signal = signal;
    this.#reject = reject;
    if (signal) onAbort(signal, this);
  }

  override wake(): void {
    if (this.#signal) offAbort(this.#signal, this);
    this.#resolve();
  }

  abort(reason: unknown): void {
    this.cancel();
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

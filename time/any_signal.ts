/**
 * A signal that aborts with the first of several, and goes on for as long as a
 * response's body may be read.
 *
 * @module
 */

import { type Abortable, offAbort, onAbort } from "./sleep.ts";

/**
 * Follows several signals until `leave()`. In place of `AbortSignal.any`, which
 * leaks on long-lived signals (nodejs/node#54614, denoland/deno#24842) and
 * takes no signals but the runtime's own.
 */
export class AnySignal implements Abortable {
  readonly #controller = new AbortController();
  readonly #signals: readonly AbortSignal[];

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals;
    const aborted = signals.find((signal) => signal.aborted);
    if (aborted) this.#controller.abort(aborted.reason);
    else for (const signal of signals) onAbort(signal, this);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.leave();
    this.#controller.abort(reason);
  }

  leave(): void {
    for (const signal of this.#signals) offAbort(signal, this);
  }

  /** Goes on following for as long as somebody holds on to `body`. */
  leaveWith(body: ReadableStream | null | undefined): void {
    this.leave();
    if (!body || this.signal.aborted) return;
    const reference = new WeakRef<AnySignal>(this);
    const waiter = {
      abort: (reason: unknown) => reference.deref()?.abort(reason),
    };
    for (const signal of this.#signals) onAbort(signal, waiter);
    followers.set(body, this);
    gone.register(this, { signals: this.#signals, waiter });
  }
}

/** Bodies that may still be read: each keeps alive what can abort it. */
const followers = new WeakMap<ReadableStream, AnySignal>();

// No test can make the garbage collector run this.
const gone = new FinalizationRegistry<
  { signals: readonly AbortSignal[]; waiter: Abortable }
>(({ signals, waiter }) => {
  for (const signal of signals) offAbort(signal, waiter);
});

/** Whether it works as an `AbortSignal` does, whoever made it. */
export function isSignal(value: unknown): value is AbortSignal {
  const signal = value as AbortSignal | null | undefined;
  return typeof signal?.aborted === "boolean" &&
    typeof signal.addEventListener === "function";
}

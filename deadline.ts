/**
 * Knows when to stop waiting for somebody else's work: when a signal aborts or
 * the time is up.
 *
 * @module
 */

import { type Abortable, Alarm, offAbort, onAbort } from "./sleep.ts";

/**
 * Follows a parent signal and a time limit, from construction to `close()`.
 * In place of `AbortSignal.any` and `AbortSignal.timeout`, which leak on
 * long-lived signals and keep the process alive
 * (nodejs/node#54614, denoland/deno#24842).
 */
export class Deadline implements Abortable {
  #parent: AbortSignal | undefined;
  #alarm: Alarm | undefined;
  #controller: AbortController | undefined;
  #aborted = false;
  #reason: unknown;
  #giveUp: ((reason: unknown) => void) | undefined;

  /** Whether the time is up, as against the parent having aborted. */
  expired = false;

  constructor(
    parent?: AbortSignal,
    seconds?: number,
    name = "deadline",
  ) {
    if (parent?.aborted) {
      this.abort(parent.reason);
      return;
    }
    this.#parent = parent;
    if (parent) onAbort(parent, this);
    if (seconds === undefined) return;
    this.#alarm = new Alarm(seconds, () => {
      this.expired = true;
      const message = `Gave up as '${name}' of ${seconds} s ran out`;
      this.abort(new DOMException(message, "TimeoutError"));
    });
  }

  /** Aborts with the parent's reason or a `TimeoutError`; made when first read. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /**
   * Settles as `work` does, or rejects as soon as this aborts, whether `work`
   * heeds the signal or not, and closes. A value that comes too late goes to
   * `late`; a late rejection is no news.
   */
  async race<T>(
    work: () => T | PromiseLike<T>,
    late?: (value: unknown) => void,
  ): Promise<T> {
    try {
      return await new Promise<T>((resolve, reject) => {
        if (this.#aborted) throw this.#reason;
        this.#giveUp = reject;
        Promise.resolve(work()).then((value) => {
          if (this.#aborted) late?.(value);
          resolve(value);
        }, reject);
      });
    } finally {
      this.close();
    }
  }

  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#giveUp?.(reason);
    this.#controller?.abort(reason);
  }

  /** Lets go of the parent and the timer. */
  close(): void {
    this.#alarm?.cancel();
    if (this.#parent) offAbort(this.#parent, this);
  }
}

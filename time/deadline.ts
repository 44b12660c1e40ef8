/**
 * A deadline for somebody else's work: a time limit, a parent signal, or both.
 *
 * @module
 */

import {
  type Abortable,
  Alarm,
  offAbort,
  onAbort,
  type Wakeable,
} from "./sleep.ts";

/**
 * Follows a time limit from construction, and a parent signal from when it
 * matters: when somebody reads its own signal, or it races. Until `close()`.
 * In place of `AbortSignal.any` and `AbortSignal.timeout`, which leak on
 * long-lived signals and keep the process alive
 * (nodejs/node#54614, denoland/deno#24842).
 */
export class Deadline implements Abortable, Wakeable {
  readonly #parent: AbortSignal | undefined;
  readonly #seconds: number | undefined;
  readonly #name: string;
  #alarm: Alarm | undefined;
  #controller: AbortController | undefined;
  #aborted = false;
  #following = false;
  #closed = false;
  #reason: unknown;
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(parent?: AbortSignal, seconds?: number, name = "deadline") {
    this.#parent = parent;
    this.#seconds = seconds;
    this.#name = name;
    if (parent?.aborted) this.abort(parent.reason);
    else if (seconds !== undefined) this.#alarm = new Alarm(seconds, this);
  }

  /** Aborts with the parent's reason or a `TimeoutError`; made when first read. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      this.#follow();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /**
   * Settles as `work` does, or rejects as soon as this aborts, whether `work`
   * heeds the signal or not, and closes. A value that comes too late goes to
   * `late`; a late rejection is no news.
   */
  race<T>(
    work: () => T | PromiseLike<T>,
    late?: (value: unknown) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#aborted) throw this.#reason;
      this.#giveUp = reject;
      this.#follow();
      const succeed = (value: T) => {
        if (this.#aborted) late?.(value);
        this.close();
        resolve(value);
      };
      const fail = (reason: unknown) => {
        this.close();
        reject(reason);
      };
      try {
        Promise.resolve(work()).then(succeed, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  wake(): void {
    const limit = `'${this.#name}' of ${this.#seconds} s`;
    this.abort(new DOMException(`Gave up as ${limit} ran out`, "TimeoutError"));
  }

  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.close();
    this.#giveUp?.(reason);
    this.#controller?.abort(reason);
  }

  /** Lets go of the parent and the timer. */
  close(): void {
    this.#closed = true;
    this.#alarm?.cancel();
    if (this.#following) offAbort(this.#parent!, this);
  }

  #follow(): void {
    if (!this.#parent || this.#following || this.#closed) return;
    this.#following = true;
    onAbort(this.#parent, this);
  }
}

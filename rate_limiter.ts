/**
 * Knows whose turn it is: one queue for all calls that share a server's limit,
 * which it learns from the server's answers.
 *
 * @example One limiter for all workers
 * ```ts
 * import { RateLimiter, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new RateLimiter();
 * const pages = await Promise.all(["1", "2", "3"].map((page) =>
 *   retryWithBackoff(async ({ signal }) => {
 *     const response = await fetch(`data:,${page}`, { signal });
 *     return await response.text();
 *   }, { limiter })
 * ));
 * assertEquals(pages, ["1", "2", "3"]);
 * ```
 *
 * @module
 */

import { checkFields, checkNumber, checkType } from "./arguments/check.ts";
import type { HeadersLike } from "./http/headers.ts";
import {
  follow,
  forget,
  givenPace,
  learn,
  open,
  type Pace,
  send,
  unknownPace,
  waitTime,
} from "./limiter/pace.ts";
import type { Turn } from "./limiter/quota.ts";
import {
  type Abortable,
  Alarm,
  offAbort,
  onAbort,
  type Wakeable,
} from "./time/sleep.ts";

/**
 * What is known of the limit beforehand; nothing need be.
 *
 * @example A limit from the API's documentation
 * ```ts
 * import { RateLimiter, type RateLimiterOptions } from "@jarkdown/retry";
 *
 * const options: RateLimiterOptions = { rate: 10, burst: 20 };
 * const limiter = new RateLimiter(options);
 * const release = await limiter.acquire();
 * release();
 * ```
 */
export interface RateLimiterOptions {
  /** Requests per second, > 0, finite. Without it, the limit is learned. */
  readonly rate?: number | null | undefined;
  /**
   * Requests that may go at once after a pause. An integer >= 1; goes with
   * `rate`.
   *
   * @default {1}
   */
  readonly burst?: number | null | undefined;
  /**
   * Requests under way at the same time. An integer >= 1, or `Infinity`.
   *
   * @default {Infinity}
   */
  readonly maxConcurrent?: number | null | undefined;
}

const OPTIONS = [
  "rate",
  "burst",
  "maxConcurrent",
] as const satisfies readonly (keyof RateLimiterOptions)[];

/**
 * What a server answered: a `Response`, or the status and headers that another
 * client has.
 *
 * @example From a client that is not `fetch`
 * ```ts
 * import { type Answer, RateLimiter } from "@jarkdown/retry";
 *
 * const answer: Answer = { status: 429, headers: { "retry-after": "0.01" } };
 * const limiter = new RateLimiter();
 * limiter.observe(answer);
 * await limiter.acquire(); // a hundredth of a second later
 * ```
 */
export interface Answer {
  /** The HTTP status. */
  readonly status: number;
  /** The headers, of any shape. */
  readonly headers?: HeadersLike | null | undefined;
}

/**
 * Ends a turn, and teaches the limiter if it is given the answer. A second call
 * does nothing.
 *
 * @example With the answer
 * ```ts
 * import { RateLimiter, type Release } from "@jarkdown/retry";
 *
 * const limiter = new RateLimiter();
 * const release: Release = await limiter.acquire();
 * const response = await fetch("data:,hello");
 * release(response);
 * await response.text();
 * ```
 */
export type Release = (answer?: Answer) => void;

/** A limiter as its waiters and its alarm see it. */
interface Queue extends Wakeable {
  leave(waiter: Waiter): void;
}

/** Somebody in the queue: a link of a list, so that leaving it takes no search. */
class Waiter implements Abortable {
  before: Waiter | undefined;
  behind: Waiter | undefined;

  readonly queue: Queue;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (release: Release) => void;
  readonly reject: (reason: unknown) => void;

  constructor(
    queue: Queue,
    signal: AbortSignal | undefined,
    resolve: (release: Release) => void,
    reject: (reason: unknown) => void,
  ) {
    this.queue = queue;
    this.signal = signal;
    this.resolve = resolve;
    this.reject = reject;
  }

  abort(reason: unknown): void {
    this.queue.leave(this);
    this.reject(reason);
  }
}

/**
 * One limiter for all calls that share a server's limit, so that a bulk job
 * runs at that limit without being told it: what one call learns, all obey.
 *
 * A 429 pauses everybody until the time that the server named; then one request
 * tries the gate, and the others follow at the learned pace. A 503, a timeout
 * or a broken connection is its own call's business, unless the last 16 answers
 * were all 503 with `Retry-After`.
 *
 * It reads `X-RateLimit-Limit`/`-Remaining`/`-Reset`, the draft's `RateLimit`
 * and `RateLimit-Policy`, and Jira's `X-RateLimit-FillRate`/`-Interval-Seconds`
 * where they are there: then nothing is sent that is known to be refused.
 * Otherwise it measures what is accepted between two refusals, stays just under
 * it, and probes upward.
 *
 * Without `rate` and `maxConcurrent`, the first request goes alone, until it is
 * answered or a second has passed: its headers tell what is in store. First
 * come, first served. A limiter that nobody waits on keeps no timer.
 *
 * @example By hand
 * ```ts
 * import { RateLimiter } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new RateLimiter({ maxConcurrent: 4 });
 * const release = await limiter.acquire();
 * try {
 *   const response = await fetch("data:,hello");
 *   limiter.observe(response);
 *   assertEquals(await response.text(), "hello");
 * } finally {
 *   release();
 * }
 * ```
 */
export class RateLimiter {
  readonly #maxConcurrent: number;
  /** Everything known of the server's limit. */
  #pace: Pace;
  #underWay = 0;
  /** Turns whose answer has not been told, oldest first. */
  readonly #unanswered = new Map<Release, Turn>();
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #alarm: Alarm | undefined;

  /**
   * Makes a limiter; without options, it learns the limit.
   *
   * @param options What is known of the limit.
   * @throws {RangeError} If an option is out of range.
   * @throws {TypeError} If an option has the wrong type or is unknown.
   */
  constructor(options?: RateLimiterOptions | null) {
    checkFields("options", options ?? {}, OPTIONS);
    const rate = options?.rate ?? undefined;
    const burst = options?.burst ?? 1;
    this.#maxConcurrent = options?.maxConcurrent ?? Infinity;
    if (rate !== undefined) {
      const valid = rate > 0 && rate < Infinity;
      checkNumber(
        "rate",
        rate,
        "a finite number of requests per second > 0",
        valid,
      );
    }
    checkNumber(
      "burst",
      burst,
      "an integer >= 1",
      Number.isInteger(burst) && burst >= 1,
    );
    checkType(
      "burst",
      burst,
      "given together with 'rate'",
      rate !== undefined || !options?.burst,
    );
    checkNumber(
      "maxConcurrent",
      this.#maxConcurrent,
      "an integer >= 1 or Infinity",
      this.#maxConcurrent >= 1 && (Number.isInteger(this.#maxConcurrent) ||
        this.#maxConcurrent === Infinity),
    );
    const now = Date.now() / 1000;
    this.#pace = rate === undefined
      ? unknownPace(now)
      : givenPace(now, rate, burst);
    // Who tells how many may go at once need not wait for the first answer.
    if (this.#maxConcurrent < Infinity) this.#pace = open(this.#pace);
  }

  /**
   * Waits for a turn, first come, first served.
   *
   * @example In a worker
   * ```ts
   * import { RateLimiter } from "@jarkdown/retry";
   *
   * const limiter = new RateLimiter({ rate: 100 });
   * const release = await limiter.acquire({ signal: AbortSignal.timeout(1000) });
   * const response = await fetch("data:,hello");
   * release(response);
   * await response.text();
   * ```
   *
   * @param options The signal that ends the waiting.
   * @returns A function to call once the answer is there, or will never be.
   * @throws {unknown} The signal's reason, as soon as it aborts.
   */
  acquire(
    options?: { readonly signal?: AbortSignal | null | undefined } | null,
  ): Promise<Release> {
    const signal = options?.signal ?? undefined;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const waiter = new Waiter(this.#queue, signal, resolve, reject);
      waiter.before = this.#last;
      if (this.#last) this.#last.behind = waiter;
      else this.#first = waiter;
      this.#last = waiter;
      if (signal) onAbort(signal, waiter);
      // Whoever was there before is already waiting for the right moment.
      if (this.#first === waiter) this.#serve();
    });
  }

  /**
   * Teaches the limiter what the server answered. It is taken for the answer to
   * the oldest turn that has none yet; `release(answer)` tells exactly.
   *
   * @example A refusal holds back everybody
   * ```ts
   * import { RateLimiter } from "@jarkdown/retry";
   * import { assert } from "@std/assert";
   *
   * const limiter = new RateLimiter();
   * limiter.observe({ status: 429, headers: { "retry-after": "0.05" } });
   * const start = Date.now();
   * await limiter.acquire();
   * assert(Date.now() - start >= 49);
   * ```
   *
   * @param answer A `Response`, or its status and headers.
   */
  observe(answer: Answer): void {
    const [oldest] = this.#unanswered.keys();
    this.#learn(answer, oldest);
    this.#serve();
  }

  readonly #queue: Queue = {
    leave: (waiter) => this.#leave(waiter),
    wake: () => this.#serve(),
  };

  #leave(waiter: Waiter): void {
    const { before, behind, signal } = waiter;
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    if (signal) offAbort(signal, waiter);
    if (!this.#first) this.#alarm?.cancel();
  }

  /** Lets go whoever may go now, and sets the alarm for the next. */
  #serve(): void {
    this.#alarm?.cancel();
    while (this.#first && this.#underWay < this.#limitAtOnce()) {
      this.#pace = follow(this.#pace, Date.now() / 1000);
      const seconds = waitTime(this.#pace);
      if (seconds > 0) {
        this.#alarm = new Alarm(seconds, this.#queue);
        return;
      }
      this.#letGo(this.#first);
    }
  }

  #limitAtOnce(): number {
    return Math.min(this.#maxConcurrent, this.#pace.crowd.ceiling);
  }

  #letGo(waiter: Waiter): void {
    this.#leave(waiter);
    this.#underWay++;
    const { pace, turn } = send(this.#pace, Date.now() / 1000, this.#underWay);
    this.#pace = pace;
    let ended = false;
    const release: Release = (answer) => {
      if (ended) return;
      ended = true;
      if (this.#unanswered.has(release)) this.#learn(answer, release);
      this.#underWay--;
      this.#serve();
    };
    this.#unanswered.set(release, turn);
    waiter.resolve(release);
  }

  #learn(answer: Answer | undefined, release: Release | undefined): void {
    const now = Date.now() / 1000;
    let turn = release && this.#unanswered.get(release);
    if (release) this.#unanswered.delete(release);
    if (!turn) {
      // An answer to a request that did not ask for a turn.
      const sent = send(this.#pace, now, this.#underWay + 1);
      this.#pace = sent.pace;
      turn = sent.turn;
    }
    this.#pace = answer
      ? learn(this.#pace, now, turn, answer, this.#underWay)
      : forget(this.#pace, now, turn);
  }
}

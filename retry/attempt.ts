/**
 * One attempt of a retried call: its number, its abort signal, and the answer
 * that it had from the server.
 *
 * @module
 */

import { checkType } from "../arguments/check.ts";
import type { Turn } from "../queue/queue.ts";
import type { Answer } from "../rate_limiter.ts";
import { AnySignal, isSignal } from "../time/any_signal.ts";
import { Deadline } from "../time/deadline.ts";

/**
 * What the retried function is called with. Its fields can be taken out of it:
 * `({ fetch, signal }) => ...`.
 *
 * An attempt has one answer, which teaches the limiter: the first that
 * `fetch` got or `observe` was told. Without either, it is the `Response` that
 * the function returned, or what it threw. What else `fetch` and `observe` see,
 * the limiter takes for answers to requests without a turn.
 *
 * @example Fetch and read
 * ```ts
 * import { type Attempt, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * async function load({ fetch, number }: Attempt) {
 *   const response = await fetch("data:,hello");
 *   return `${await response.text()} on attempt ${number}`;
 * }
 * assertEquals(await retryWithBackoff(load), "hello on attempt 1");
 * ```
 *
 * @example Another client
 * ```ts
 * import { RateLimiter, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const axios = (_url: string, _options: { signal: AbortSignal }) =>
 *   Promise.resolve({ status: 200, headers: {}, data: "hello" });
 *
 * const limiter = new RateLimiter();
 * const data = await retryWithBackoff(async ({ signal, observe }) => {
 *   const response = await axios("https://api.example.com/", { signal });
 *   observe(response);
 *   return response.data;
 * }, { limiter });
 * assertEquals(data, "hello");
 * ```
 */
export interface Attempt {
  /** 1 for the first call, one more with each retry. */
  readonly number: number;
  /**
   * Aborts on the caller's `signal`, on `attemptTimeout` and on `totalTimeout`,
   * until the attempt has settled. Made when first read.
   */
  readonly signal: AbortSignal;
  /**
   * The global `fetch` of the moment, ended by the attempt's signal as well as
   * by its own; tells the limiter what was answered.
   */
  readonly fetch: typeof fetch;
  /**
   * Tells the limiter what another client was answered: a `Response`, or
   * `{ status, headers }`. The same object told twice counts once.
   *
   * @throws {TypeError} If it has no numeric `status`.
   */
  readonly observe: (answer: Answer) => void;
}

/** What is made for each attempt; everything else when it is first asked for. */
export class CurrentAttempt implements Attempt {
  readonly number: number;
  readonly #turn: Turn | undefined;
  #deadline: Deadline | undefined;

  constructor(number: number, turn: Turn | undefined, deadline?: Deadline) {
    this.number = number;
    this.#turn = turn;
    this.#deadline = deadline;
  }

  get signal(): AbortSignal {
    return (this.#deadline ??= new Deadline()).signal;
  }

  get fetch(): typeof fetch {
    return (input: Input, init?: Init) => this.#fetch(input, init);
  }

  get observe(): (answer: Answer) => void {
    return (answer) => {
      const valid = typeof answer?.status === "number";
      checkType("answer", answer, "a Response or { status, headers }", valid);
      this.#turn?.observe(answer);
    };
  }

  async #fetch(input: Input, init: Init): Promise<Response> {
    // Nothing can end this attempt.
    if (!this.#deadline) return this.#tell(await fetch(input, init));
    const { signal } = this.#deadline;
    const own = ownSignal(input, init);
    // What is no signal is for `fetch` to refuse.
    if (own && !isSignal(own)) return await fetch(input, init);
    if (!own) return this.#tell(await fetch(input, { ...init, signal }));
    const either = new AnySignal([own, signal]);
    let response: Response | undefined;
    try {
      response = await fetch(input, { ...init, signal: either.signal });
    } finally {
      either.leaveWith(response?.body);
    }
    return this.#tell(response);
  }

  #tell(response: Response): Response {
    // A mocked `fetch` may resolve with anything.
    if (typeof response?.status === "number") this.#turn?.observe(response);
    return response;
  }
}

type Input = Parameters<typeof fetch>[0];
type Init = Parameters<typeof fetch>[1];

/** The signal that `fetch` would heed: `null` takes the request's away. */
function ownSignal(input: Input, init: Init): AbortSignal | null | undefined {
  if (init?.signal !== undefined) return init.signal;
  return typeof input === "object" && "signal" in input
    ? input.signal
    : undefined;
}

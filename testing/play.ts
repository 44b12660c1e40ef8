/**
 * A fake clock for tests that is always given back, and whole calls played on
 * it.
 *
 * @module
 */

import { FakeTime } from "@std/testing/time";
import {
  type Attempt,
  type GiveUpEvent,
  type RetryEvent,
  type RetryOptions,
  retryWithBackoff,
} from "../retry.ts";

export { countListeners } from "./listeners.ts";

/** Monday, 23 November 2026, noon: the start of every fake clock. */
export const NOON = Date.UTC(2026, 10, 23, 12);

/** Runs `body` on a fake clock that starts at {@linkcode NOON}. */
export async function onFakeTime(
  body: (time: FakeTime) => Promise<void>,
): Promise<void> {
  const time = new FakeTime(NOON);
  try {
    await body(time);
  } finally {
    time.restore();
  }
}

/** Runs `body`, on a fake clock, with a `Date.now()` off by some seconds. */
export function withClockOff(seconds: number, body: () => void): void {
  const date = globalThis.Date;
  globalThis.Date = new Proxy(date, {
    get: (target, key) =>
      key === "now"
        ? () => target.now() + seconds * 1000
        : Reflect.get(target, key),
  });
  try {
    body();
  } finally {
    globalThis.Date = date;
  }
}

/** What `promise` came to by now. */
export interface Outcome {
  state: "pending" | "fulfilled" | "rejected";
  value?: unknown;
}

/** Watches a promise, so that a rejection is handled from the start. */
export function watch(promise: PromiseLike<unknown>): Outcome {
  const outcome: Outcome = { state: "pending" };
  promise.then((value) => {
    outcome.state = "fulfilled";
    outcome.value = value;
  }, (reason) => {
    outcome.state = "rejected";
    outcome.value = reason;
  });
  return outcome;
}

/** Moves the fake clock by `seconds` and lets everything that is due happen. */
export async function pass(time: FakeTime, seconds: number): Promise<void> {
  await time.tickAsync(seconds * 1000);
  await time.runMicrotasks();
}

/** Runs every timer, also those that come to be meanwhile, and all they cause. */
export async function finish(time: FakeTime): Promise<void> {
  do await time.runMicrotasks(); while (time.next());
}

/** What a call did, from its first attempt to its end. */
export interface Played extends Outcome {
  /** Seconds after the start at which each attempt began. */
  starts: number[];
  /** What `onRetry` got. */
  events: RetryEvent[];
  /** What `onGiveUp` got. */
  gaveUp: GiveUpEvent[];
  /** Seconds after the start at which the call ended. */
  end: number;
}

/**
 * Plays a whole call on a fake clock: `script` has what each attempt does, the
 * last entry for all that follow. An `Error`, a `Response` with `thrown`, or any
 * function is run; everything else is returned.
 */
export async function play(
  script: readonly unknown[],
  options: RetryOptions = {},
): Promise<Played> {
  const played: Played = {
    state: "pending",
    starts: [],
    events: [],
    gaveUp: [],
    end: NaN,
  };
  await onFakeTime(async (time) => {
    const fn = (attempt: Attempt): unknown => {
      played.starts.push((Date.now() - NOON) / 1000);
      const step = script[Math.min(attempt.number, script.length) - 1];
      if (step instanceof Error) throw step;
      return typeof step === "function" ? step(attempt) : step;
    };
    const onRetry = (event: RetryEvent) => {
      played.events.push(event);
      return options.onRetry?.(event);
    };
    const onGiveUp = (event: GiveUpEvent) => {
      played.gaveUp.push(event);
      return options.onGiveUp?.(event);
    };
    const hooks = { ...options, onRetry, onGiveUp };
    const call = retryWithBackoff(fn, hooks).finally(() => {
      played.end = (Date.now() - NOON) / 1000;
    });
    const outcome = watch(call);
    await finish(time);
    Object.assign(played, outcome);
  });
  return played;
}

/** No jitter: delays are exactly 1, 2, 4, ... seconds. */
export const EXACT = { jitter: false } as const;

/** A refusal that can be answered with once for each attempt. */
export function refuse(
  status: number,
  headers: Record<string, string> = {},
): () => Response {
  return () => new Response("refused", { status, headers });
}

/** What a runtime throws when the connection breaks. */
export function networkError(code = "ECONNRESET"): TypeError {
  return new TypeError("fetch failed", {
    cause: Object.assign(new Error(code), { code }),
  });
}

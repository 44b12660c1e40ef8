/**
 * Knows how each library is asked for the same: call, and on failure call
 * again.
 *
 * @module
 */

import { retry as attempt } from "@lifeomic/attempt";
import { retry as stdRetry } from "@std/async/retry";
import { ConstantBackoff, handleAll, retry as cockatielRetry } from "cockatiel";
import pRetry from "p-retry";
import { RetryConfig, retryWithBackoff } from "../../mod.ts";

type Fn = () => Promise<unknown>;

/** A way to call something: three retries after `milliseconds`. */
export interface Contender {
  readonly name: string;
  /** Makes the caller; what can be prepared once is. */
  prepare(
    milliseconds: number,
    signal?: AbortSignal,
  ): (fn: Fn) => Promise<unknown>;
  /** Whether it takes a signal; not all of them heed it while they wait. */
  readonly signals: boolean;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, milliseconds));
}

function abortableSleep(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener("abort", stop);
    function wake() {
      signal.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal.reason);
    }
  });
}

/** By hand; with a signal, it looks at it before each attempt and in the sleep. */
export const LOOP: Contender = {
  name: "loop",
  signals: true,
  prepare: (milliseconds, signal) =>
    async function loop(fn) {
      for (let retries = 0;; retries++) {
        signal?.throwIfAborted();
        try {
          return await fn();
        } catch (error) {
          if (retries === 3) throw error;
        }
        if (milliseconds === 0) continue;
        await (signal
          ? abortableSleep(milliseconds, signal)
          : sleep(milliseconds));
      }
    },
};

export const JARKDOWN: Contender = {
  name: "jarkdown",
  signals: true,
  prepare: (milliseconds, signal) => {
    const seconds = milliseconds / 1000;
    const config = new RetryConfig({
      baseDelay: seconds,
      maxDelay: seconds,
      jitter: false,
    });
    const options = signal ? { config, signal } : { config };
    return (fn) => retryWithBackoff(fn, options);
  },
};

/** The config as a plain object, which is checked at every call. */
export const JARKDOWN_PLAIN: Contender = {
  name: "jarkdown, plain options",
  signals: true,
  prepare: (milliseconds) => {
    const baseDelay = milliseconds / 1000;
    const options = { config: { baseDelay, jitter: false } };
    return (fn) => retryWithBackoff(fn, options);
  },
};

export const PEERS: readonly Contender[] = [
  {
    name: "@std/async",
    signals: true,
    prepare: (milliseconds, signal) => {
      // It refuses a delay of 0.
      const minTimeout = Math.max(milliseconds, 1e-9);
      const options = {
        ...{ maxAttempts: 4, minTimeout, maxTimeout: minTimeout, jitter: 0 },
        ...signal && { signal },
      };
      return (fn) => stdRetry(fn, options);
    },
  },
  {
    name: "p-retry",
    signals: true,
    prepare: (milliseconds, signal) => {
      const options = {
        ...{ retries: 3, minTimeout: milliseconds, factor: 1 },
        ...signal && { signal },
      };
      return (fn) => pRetry(fn, options);
    },
  },
  {
    name: "cockatiel",
    signals: true,
    prepare: (milliseconds, signal) => {
      const policy = cockatielRetry(handleAll, {
        maxAttempts: 3,
        backoff: new ConstantBackoff(milliseconds),
      });
      return (fn) => policy.execute(fn, signal);
    },
  },
  {
    name: "@lifeomic/attempt",
    signals: false,
    prepare: (milliseconds) => {
      const options = { maxAttempts: 4, delay: milliseconds, factor: 1 };
      return (fn) => attempt(fn, options);
    },
  },
];

/**
 * The clients of the bench: this module in each way that its README teaches, two
 * peers with the settings of their documentation, and one that knows the limit.
 *
 * @module
 */

import {
  createFetch,
  ensureOk,
  HttpError,
  RateLimiter,
  retryWithBackoff,
} from "../../mod.ts";

/** Gets one item. */
export type Get = (url: string) => Promise<unknown>;

/** What a client is told. */
export interface Settings {
  /** Seconds after which an attempt counts as hanging. */
  timeout: number;
  /** When the requests can pass, in s after the first; for `told` only. */
  slots: readonly number[];
}

/** What an attempt of any version of this module has. */
interface Attempt {
  readonly signal: AbortSignal;
  readonly fetch?: (url: string) => Promise<Response>;
}

/** This module, its function returning the `Response`. */
export function returned(timeout: number): Get {
  const limiter = new RateLimiter();
  return async (url) => {
    const response = await retryWithBackoff(
      ({ signal }) => fetch(url, { signal }),
      { limiter, attemptTimeout: timeout },
    );
    return await response.json();
  };
}

/** This module, its function parsing the answer. */
export function parsed(timeout: number): Get {
  const limiter = new RateLimiter();
  const send = async ({ signal, fetch: own }: Attempt, url: string) => {
    if (own) return await own(url);
    const response = await fetch(url, { signal });
    limiter.observe(response);
    return response;
  };
  return (url) =>
    retryWithBackoff(
      async (attempt) => await (await ensureOk(send(attempt, url))).json(),
      { limiter, attemptTimeout: timeout },
    );
}

/** A new client for each job. */
export const CLIENTS: Record<
  string,
  (settings: Settings) => Get | Promise<Get>
> = {
  "ours": ({ timeout }) => returned(timeout),
  "ours-parsed": ({ timeout }) => parsed(timeout),
  /** The drop-in `fetch`. */
  "ours-fetch": ({ timeout }) => {
    const fetch = createFetch({
      limiter: "per-origin",
      attemptTimeout: timeout,
    });
    return async (url) => await (await ensureOk(fetch(url))).json();
  },
  "p-retry": async ({ timeout }) => {
    const { default: pRetry } = await import("p-retry");
    return (url) =>
      pRetry(() => once(url, timeout), {
        retries: 10,
        randomize: true,
        shouldRetry: ({ error }) =>
          !(error instanceof HttpError) ||
          [403, 429, 502, 503].includes(error.status),
        // Its documented place for a Retry-After.
        onFailedAttempt: async ({ error }) => {
          const asked = error instanceof HttpError &&
            error.headers.get("retry-after");
          if (asked) await sleep(Number(asked));
        },
      });
  },
  "ky": async ({ timeout }) => {
    const { default: ky } = await import("ky");
    const client = ky.create({
      retry: {
        limit: 10,
        jitter: true,
        retryOnTimeout: true,
        statusCodes: [403, 429, 502, 503],
        afterStatusCodes: [403, 429, 503],
      },
      timeout: timeout * 1000,
      totalTimeout: false,
    });
    return (url) => client.get(url).json();
  },
  /** Sends each request when it can pass: what the best possible time is worth. */
  "told": ({ timeout, slots }) => {
    const now = () => performance.now() / 1000;
    // Nobody but the server knows when exactly it began, and who overtakes whom.
    const margin = 0.03;
    let taken = 0;
    let start: number | undefined;
    let refusedAt = 0;
    return async (url) => {
      const slot = slots[taken++] ?? 0;
      start ??= now();
      // A window opens with the first request of it, so that it drifts.
      const late = slot === 0 ? 0 : slot * 0.01 + margin;
      for (;;) {
        const wait = () => start! + slot + late - now();
        for (let left = wait(); left > 0; left = wait()) await sleep(left);
        try {
          return await once(url, timeout);
        } catch (error) {
          const { status = 0, headers } = error instanceof HttpError
            ? error
            : {};
          const pause = Number(headers?.get("retry-after")) || margin;
          // All that follow are late by what was wrong, once for all that fail.
          if ([403, 429].includes(status) && now() - refusedAt > 0.1) {
            start += pause;
          }
          refusedAt = now();
          await sleep(pause);
        }
      }
    };
  },
};

async function once(url: string, timeout: number): Promise<unknown> {
  const signal = AbortSignal.timeout(timeout * 1000);
  return await (await ensureOk(fetch(url, { signal }))).json();
}

function sleep(seconds: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, seconds * 1000));
}

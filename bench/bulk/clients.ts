/**
 * The clients of the bulk bench, each with the settings that its documentation
 * has for a rate-limited API: ten retries, `Retry-After` where it can be read.
 *
 * @module
 */

import { retry as stdRetry } from "@std/async/retry";
import Bottleneck from "bottleneck";
import ky from "ky";
import pRetry from "p-retry";
import { Agent, fetch as undiciFetch, RetryAgent } from "undici";
import { ensureOk, HttpError, retryWithBackoff } from "../../mod.ts";
import { type Get, parsed, returned } from "../limits/clients.ts";
import { TIMEOUT } from "./settings.ts";

/** A client starts anew for each run; it is told how many workers there are. */
export const CLIENTS: Record<string, (workers: number) => Get> = {
  "jarkdown with limiter": () => returned(TIMEOUT),
  "parsed inside": () => parsed(TIMEOUT),
  "jarkdown without": () => (url) =>
    retryWithBackoff(
      async ({ signal }) =>
        await (await ensureOk(fetch(url, { signal }))).text(),
      { attemptTimeout: TIMEOUT, config: { maxRetries: 10 } },
    ),
  "p-retry": () => (url) =>
    pRetry(() => once(url), {
      retries: 10,
      randomize: true,
      shouldRetry: ({ error }) =>
        !(error instanceof HttpError) || [429, 503].includes(error.status),
      // Its documented place for a Retry-After.
      onFailedAttempt: async ({ error }) => {
        const asked = error instanceof HttpError &&
          error.headers.get("retry-after");
        if (asked) await sleep(Number(asked));
      },
    }),
  "ky": () => {
    const client = ky.create({
      retry: { limit: 10, jitter: true, retryOnTimeout: true },
      timeout: TIMEOUT * 1000,
    });
    return (url) => client.get(url).text();
  },
  "undici RetryAgent": (workers) => {
    const dispatcher = new RetryAgent(new Agent({ connections: workers }), {
      maxRetries: 10,
      statusCodes: [429, 503],
    });
    return async (url) => {
      for (;;) {
        try {
          const signal = AbortSignal.timeout(TIMEOUT * 1000);
          const response = await undiciFetch(url, { dispatcher, signal });
          if (!response.ok) throw new Error(String(response.status));
          return await response.text();
        } catch (error) {
          // It does not retry what hangs.
          if ((error as Error).name !== "TimeoutError") throw error;
        }
      }
    };
  },
  "Bottleneck": (workers) => {
    const limiter = new Bottleneck({ maxConcurrent: workers });
    limiter.on(
      "failed",
      (error: unknown, { retryCount }: { retryCount: number }) => {
        if (retryCount >= 10) return;
        const asked = error instanceof HttpError &&
          error.headers.get("retry-after");
        return asked ? Number(asked) * 1000 : 1000 * 2 ** retryCount;
      },
    );
    return (url) => limiter.schedule(() => once(url));
  },
  "@std/async retry": () => (url) =>
    stdRetry(() => once(url), { maxAttempts: 11 }),
};

async function once(url: string): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT * 1000);
  return await (await ensureOk(fetch(url, { signal }))).text();
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

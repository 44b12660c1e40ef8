/**
 * The clients that the zoo plays, each as its documentation teaches.
 *
 * @module
 */

import {
  type Attempt,
  ensureOk,
  HttpError,
  RateLimiter,
  type RateLimiterOptions,
  retryWithBackoff,
} from "../../mod.ts";
import { best } from "./best.ts";
import type { VirtualClock } from "./clock.ts";
import type { Scene } from "./draw.ts";
import { type Network, urlOf } from "./network.ts";

/** How the function hands over what the server answered. */
export const WAYS = ["returned", "parsed", "observe", "fetch"] as const;
export type Way = typeof WAYS[number];

export interface ClientOptions {
  clock: VirtualClock;
  network: Network;
  way: Way;
  /** Whether the limiter is told which status a refusal has. */
  told: boolean;
}

export interface Client {
  get(item: number): Promise<unknown>;
  limiter?: RateLimiter;
}

type MakeClient = (
  scene: Scene,
  options: ClientOptions,
) => Client | Promise<Client>;

export const CLIENTS: Record<string, MakeClient> = {
  product: (scene, { way, told }) => {
    const limiter = told ? toldLimiter(scene) : new RateLimiter();
    const { attemptTimeout } = scene;
    const attempt = attemptOf(way, limiter);
    return {
      limiter,
      get: (item) =>
        retryWithBackoff((given) => attempt(given, urlOf(item)), {
          limiter,
          attemptTimeout,
        }),
    };
  },
  plain: ({ attemptTimeout }) => ({
    get: (item) =>
      retryWithBackoff(({ signal }) => fetch(urlOf(item), { signal }), {
        attemptTimeout,
      }),
  }),
  "p-retry": async ({ attemptTimeout }) => {
    // Not in plain sight: whoever checks the zoo without it need not have it.
    const name = "p-retry";
    const { default: pRetry }: PRetry = await import(name);
    return {
      get: (item) =>
        pRetry(() => once(urlOf(item), attemptTimeout), {
          retries: 10,
          randomize: true,
          shouldRetry: ({ error }) =>
            !(error instanceof HttpError) ||
            [429, 503, 504].includes(error.status) ||
            error.headers.has("retry-after"),
          onFailedAttempt: async ({ error }) => {
            const asked = error instanceof HttpError &&
              error.headers.get("retry-after");
            if (!asked) return;
            const seconds = Number(asked);
            await sleep(
              Number.isNaN(seconds)
                ? (Date.parse(asked) - Date.now()) / 1000
                : seconds,
            );
          },
        }),
    };
  },
  oracle: (scene, { clock, network }) => {
    const { arrivals } = best(scene);
    const { way, waySigma } = scene.network;
    // For all but the first flight, which finds everything free. What drifts,
    // as windows do that begin with a request, needs more and more.
    const margin = (at: number) => 4 * waySigma * way + 0.002 + 0.003 * at;
    return {
      async get(item) {
        for (let attempt = 0;;) {
          const at = (arrivals[item]![attempt] ?? 0) - way;
          await sleep(at < 1e-9 ? 0 : at + margin(at) - clock.now);
          for (;;) {
            try {
              const response = await once(urlOf(item), scene.attemptTimeout);
              return response;
            } catch (error) {
              const isFault = !(error instanceof HttpError) ||
                error.status !== scene.status;
              if (isFault && attempt < 3) {
                attempt++;
                break;
              }
              // All at once again would be refused again, and that may count.
              const wait = Math.max(0.02, network.waitOf(item));
              await sleep(wait * (1 + Math.random()));
            }
          }
        }
      },
    };
  },
};

/** What is used of `p-retry`. */
interface PRetry {
  default(
    attempt: () => Promise<unknown>,
    options: {
      retries: number;
      randomize: boolean;
      shouldRetry: (context: { error: Error }) => boolean;
      onFailedAttempt: (context: { error: Error }) => Promise<void>;
    },
  ): Promise<unknown>;
}

/** One attempt, with the answer handed over in its way. */
function attemptOf(
  way: Way,
  limiter: RateLimiter,
): (attempt: Coming, url: string) => Promise<unknown> {
  switch (way) {
    case "returned":
      return ({ signal }, url) => fetch(url, { signal });
    case "parsed":
      return async (attempt, url) => {
        const response = attempt.fetch
          ? await attempt.fetch(url)
          : await fetch(url, { signal: attempt.signal });
        ensureOk(response);
        return url;
      };
    case "observe":
      return async (attempt, url) => {
        const response = await fetch(url, { signal: attempt.signal });
        if (attempt.observe) attempt.observe(response);
        else limiter.observe(response);
        ensureOk(response);
        return url;
      };
    case "fetch":
      return (attempt, url) =>
        attempt.fetch
          ? attempt.fetch(url)
          : fetch(url, { signal: attempt.signal });
  }
}

/** An attempt, with what it may have one day. */
type Coming = Attempt & {
  fetch?: typeof fetch;
  observe?: (answer: Response) => void;
};

function toldLimiter({ status }: Scene): RateLimiter {
  const refusalStatusCodes = [...new Set([429, status])];
  return new RateLimiter({ refusalStatusCodes } as RateLimiterOptions);
}

async function once(url: string, timeout?: number): Promise<Response> {
  if (timeout === undefined) return ensureOk(await fetch(url));
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException("Timed out", "TimeoutError"));
  }, timeout * 1000);
  try {
    return ensureOk(await fetch(url, { signal: controller.signal }));
  } finally {
    clearTimeout(timer);
  }
}

function sleep(seconds: number): Promise<void> {
  if (seconds <= 0) return Promise.resolve();
  return new Promise((resolve) =>
    setTimeout(resolve, Math.ceil(seconds * 1000))
  );
}

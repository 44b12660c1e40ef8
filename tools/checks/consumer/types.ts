/**
 * What a strict compiler must accept, and what it must refuse.
 *
 * @module
 */

import {
  additiveJitter,
  type Answer,
  type Attempt,
  attemptsOf,
  backoffDelay,
  createFetch,
  DEFAULT_RETRY,
  ensureOk,
  equalJitter,
  type FailedAttempt,
  type Failure,
  type FetchLike,
  type FetchOptions,
  type FetchRequest,
  fullJitter,
  type GiveUpEvent,
  type GiveUpReason,
  HttpError,
  type Jitter,
  logRetry,
  parseRetryAfter,
  RateLimiter,
  type Release,
  retryable,
  RetryBudget,
  RetryConfig,
  type RetryEvent,
  type RetryOptions,
  retryWithBackoff,
  serverDelay,
} from "@jarkdown/retry";
import { backoffDelay as fromBackoff } from "@jarkdown/retry/backoff";
import { RetryConfig as FromConfig } from "@jarkdown/retry/config";
import { createFetch as fromFetch } from "@jarkdown/retry/fetch";
import { HttpError as FromHttpError } from "@jarkdown/retry/http-error";
import { RateLimiter as FromRateLimiter } from "@jarkdown/retry/rate-limiter";
import { retryWithBackoff as fromRetry } from "@jarkdown/retry/retry";
import { parseRetryAfter as fromRetryAfter } from "@jarkdown/retry/retry-after";
import { RetryBudget as FromRetryBudget } from "@jarkdown/retry/retry-budget";

export const sameThings: [
  typeof backoffDelay,
  RetryConfig,
  typeof createFetch,
  typeof HttpError,
  RateLimiter,
  typeof retryWithBackoff,
  typeof parseRetryAfter,
  RetryBudget,
] = [
  fromBackoff,
  new FromConfig(),
  fromFetch,
  FromHttpError,
  new FromRateLimiter(),
  fromRetry,
  fromRetryAfter,
  new FromRetryBudget(),
];

export async function right(url: string, signal: AbortSignal): Promise<void> {
  const jitter: Jitter = (delay) => delay / 2;
  const config = new RetryConfig({ maxRetries: Infinity, jitter });
  const limiter = new RateLimiter({ rate: 10, burst: 2, maxConcurrent: 4 });
  const budget = new RetryBudget({ maxTokens: 10, tokenRatio: 0.5 });
  const options: RetryOptions = {
    config,
    signal,
    attemptTimeout: 10,
    totalTimeout: null,
    retryAfterHeader: undefined,
    shouldRetry: (failure: Failure, { retriesLeft }: FailedAttempt) =>
      failure.kind !== "other" && retriesLeft > 0,
    delay: ({ attempt }) => attempt > 2 ? 60 : undefined,
    onRetry: async (event: RetryEvent) => {
      await Promise.resolve(logRetry(event));
    },
    onGiveUp: ({ reason, error }: GiveUpEvent) => [reason, error],
    limiter,
    budget,
  };
  const events: RetryEvent[] = [];
  const reasons: GiveUpReason[] = [];
  // What a hook returns is ignored, whatever it is.
  const hooks: RetryOptions = {
    onRetry: (event) => events.push(event),
    onGiveUp: ({ reason }) => reasons.push(reason),
    shouldRetry: () => true,
  };

  const text: string = await retryWithBackoff(async (attempt: Attempt) => {
    const response = await fetch(url, { signal: attempt.signal });
    attempt.observe(response);
    return await ensureOk(response).text();
  }, options);
  await retryWithBackoff(async ({ fetch, observe }) => {
    observe({ status: 200, headers: {} });
    return await (await fetch(url, { method: "POST" })).text();
  }, hooks);
  const number: number = await retryWithBackoff(({ number }) => number);
  const response: Response = await retryWithBackoff(() => fetch(url), {
    config: { maxRetries: 1, retryableStatusCodes: [500] },
  });
  const counted: (name: string, times: number) => Promise<string> = retryable(
    (name: string, times: number) => name.repeat(times),
  );
  const tried: readonly RetryEvent[] | undefined = attemptsOf(new Error());

  const fetchOptions: FetchOptions = { fetch, limiter: "per-origin" };
  const fetching: typeof fetch = createFetch(fetchOptions);
  await (await fetching(url, { method: "POST", body: text })).text();
  const like: FetchLike = fetching;
  const limiterOf = ({ url }: FetchRequest) => url === "" ? limiter : undefined;
  createFetch({ fetch: like, limiter: limiterOf });

  const release: Release = await limiter.acquire({ signal });
  const answer: Answer = { status: 429, headers: { "Retry-After": 1 } };
  limiter.observe(answer);
  limiter.observe(response);
  release();

  const seconds: number[] = [
    parseRetryAfter("1", { now: new Date(), max: 10, fallback: 0 }),
    serverDelay(response.headers) ?? 0,
    serverDelay({ "retry-after": "1" }) ?? 0,
    backoffDelay(DEFAULT_RETRY, 0),
    backoffDelay({ baseDelay: 1 }, 1),
    additiveJitter(1),
    equalJitter(1),
    fullJitter(1),
    budget.tokens,
    number,
    (await counted("a", 2)).length,
    tried?.[0]?.delay ?? 0,
    config.maxRetries,
    new HttpError(response).status,
  ];
  if (seconds.length === 0) throw await ensureOk(fetch(url));
}

export async function wrong(response: Response): Promise<void> {
  // @ts-expect-error: no function
  await retryWithBackoff("fn");
  // @ts-expect-error: the value is a string
  const value: number = await retryWithBackoff(() => "text");
  // @ts-expect-error: this is a field of the config
  await retryWithBackoff(() => value, { maxRetries: 5 });
  // @ts-expect-error: seconds are a number
  await retryWithBackoff(() => value, { attemptTimeout: "10" });
  // @ts-expect-error: no such field
  new RetryConfig({ retries: 5 });
  // @ts-expect-error: frozen
  DEFAULT_RETRY.maxRetries = 5;
  // @ts-expect-error: an answer is true or false
  await retryWithBackoff(() => value, { shouldRetry: () => "yes" });
  // @ts-expect-error: seconds are a number
  await retryWithBackoff(() => value, { delay: () => "1" });
  // @ts-expect-error: only createFetch has limiters per origin
  await retryWithBackoff(() => value, { limiter: "per-origin" });
  // @ts-expect-error: known for one request only
  createFetch({ retryAfterHeader: "1" });
  // @ts-expect-error: the first parameter is a number
  await retryable((times: number) => times)("1");
  // @ts-expect-error: an attempt is what it is
  await retryWithBackoff((attempt) => attempt.number++);
  // @ts-expect-error: no rate
  new RateLimiter({ rate: "10" });
  // @ts-expect-error: which attempt?
  backoffDelay(DEFAULT_RETRY);
  // @ts-expect-error: a header's value
  parseRetryAfter(30);
  // @ts-expect-error: a status as well
  new RateLimiter().observe({ headers: response.headers });
  // @ts-expect-error: there may be no delay
  const delay: number = serverDelay(response.headers);
  // @ts-expect-error: a Response, or the promise of one
  ensureOk(delay);
}

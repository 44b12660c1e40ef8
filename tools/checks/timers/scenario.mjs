/**
 * What has to hold on anybody's fake clock: the retry and the limiter wait as
 * long as they should, and nobody really waits.
 *
 * @module
 */

import { RateLimiter, retryWithBackoff } from "@jarkdown/retry";
import assert from "node:assert/strict";

const refusal = { status: 429, headers: { "retry-after": "300" } };

/** `advance` moves the clock by milliseconds and lets happen what is due. */
export async function retriesObey(advance) {
  let calls = 0;
  const call = retryWithBackoff(
    () => new Response("done", ++calls === 1 ? refusal : {}),
    { attemptTimeout: 10, totalTimeout: 1000 },
  );
  await advance(299_999);
  assert.equal(calls, 1);
  await advance(1);
  assert.equal(calls, 2);
  assert.equal(await (await call).text(), "done");
}

export async function limiterObeys(advance) {
  const limiter = new RateLimiter();
  limiter.observe(refusal);
  let turns = 0;
  const turn = limiter.acquire().then((release) => {
    turns++;
    release({ status: 200 });
  });
  await advance(299_999);
  assert.equal(turns, 0);
  await advance(1);
  assert.equal(turns, 1);
  await turn;
}

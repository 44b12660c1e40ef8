import { assert, assertEquals, assertThrows } from "@std/assert";
import { retryWithBackoff } from "./retry.ts";
import { RetryBudget, type RetryBudgetOptions } from "./retry_budget.ts";
import { EXACT, finish, onFakeTime, play, refuse } from "./testing/play.ts";

Deno.test("RetryBudget starts full, and allows retries above half", () => {
  const budget = new RetryBudget();
  assertEquals([budget.tokens, budget.allowsRetry], [100, true]);
  for (let failure = 0; failure < 49; failure++) budget.failure();
  assertEquals([budget.tokens, budget.allowsRetry], [51, true]);
  budget.failure();
  assertEquals([budget.tokens, budget.allowsRetry], [50, false]);
  budget.success();
  assertEquals([budget.tokens, budget.allowsRetry], [50.1, true]);
});

Deno.test("RetryBudget stays between 0 and maxTokens", () => {
  const budget = new RetryBudget({ maxTokens: 2, tokenRatio: 1.5 });
  budget.success();
  assertEquals(budget.tokens, 2);
  for (let failure = 0; failure < 3; failure++) budget.failure();
  assertEquals(budget.tokens, 0);
  budget.success();
  assertEquals(budget.tokens, 1.5);
});

Deno.test("RetryBudget refuses options out of range", () => {
  for (const bad of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => new RetryBudget({ maxTokens: bad }),
      RangeError,
      "'maxTokens' must be a finite number > 0",
    );
    assertThrows(
      () => new RetryBudget({ tokenRatio: bad }),
      RangeError,
      "'tokenRatio'",
    );
  }
  assertThrows(
    () => new RetryBudget({ maxTokens: "1" } as unknown as RetryBudgetOptions),
    TypeError,
    "'maxTokens'",
  );
  assertThrows(
    () => new RetryBudget({ tokens: 1 } as RetryBudgetOptions),
    TypeError,
    "'options' has no field 'tokens'",
  );
  assertEquals(
    new RetryBudget({ maxTokens: null, tokenRatio: undefined }).tokens,
    100,
  );
});

Deno.test("retryWithBackoff() throws the failure itself at once where the budget is used up", async () => {
  const budget = new RetryBudget({ maxTokens: 4 });
  const error = new DOMException("late", "TimeoutError");
  const { starts, end, value, events } = await play([error], {
    config: EXACT,
    budget,
  });
  assertEquals([starts, end, value, events.length], [[0, 1], 1, error, 1]);
});

Deno.test("retryWithBackoff() takes from the budget for what could be retried, and gives for a success", async () => {
  const budget = new RetryBudget({ maxTokens: 10, tokenRatio: 1 });
  await play([refuse(404)], { config: EXACT, budget });
  assertEquals(budget.tokens, 10);
  await play([refuse(503), refuse(503), "done"], { config: EXACT, budget });
  assertEquals(budget.tokens, 9);
  await play([refuse(503)], { config: { ...EXACT, maxRetries: 0 }, budget });
  assertEquals(budget.tokens, 8);
});

Deno.test("RetryBudget cuts the storm of 1,000 calls on a dead server", () =>
  onFakeTime(async (time) => {
    const storm = async (budget?: RetryBudget) => {
      let requests = 0;
      const calls = Array.from({ length: 1000 }, () =>
        retryWithBackoff(() => {
          requests++;
          return new Response(null, { status: 503 });
        }, { budget }));
      const outcomes = Promise.allSettled(calls);
      await finish(time);
      assert((await outcomes).every(({ status }) => status === "rejected"));
      return requests;
    };
    assertEquals(await storm(), 4000);
    const requests = await storm(new RetryBudget());
    assert(requests <= 1100, `${requests} requests`);
  }));

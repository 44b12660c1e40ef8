import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { RateLimitError } from "../http_error.ts";
import {
  RateLimiter,
  type RateLimiterOptions,
  type Release,
} from "../rate_limiter.ts";
import { type RetryOptions, retryWithBackoff } from "../retry.ts";
import { now, runFor, runUntil, wait } from "../testing/job.ts";
import {
  finish,
  NOON,
  onFakeTime,
  type Outcome,
  refuse,
  watch,
} from "../testing/play.ts";

/** A refusal that names `seconds`, or none. */
function refusal(seconds?: number) {
  return {
    status: 429,
    headers: seconds === undefined ? {} : { "retry-after": `${seconds}` },
  };
}

/** What a call in the queue was given up with. */
function errorOf({ state, value }: Outcome): RateLimitError {
  assertEquals(state, "rejected");
  assert(value instanceof RateLimitError, String(value));
  return value as RateLimitError;
}

// maxPause.

Deno.test("RateLimiter asks again after maxPause where the server names more, each time with one request", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ maxPause: 10, patience: Infinity });
    const starts: number[] = [];
    const calls = [1, 2, 3].map(() =>
      watch(retryWithBackoff(async () => {
        starts.push(now());
        await wait(0.1);
        return now() < 25 ? refuse(429, { "retry-after": "9999" })() : "done";
      }, { limiter }))
    );
    await runUntil(time, () => calls.every(({ state }) => state !== "pending"));
    assertEquals(calls.map(({ value }) => value), ["done", "done", "done"]);
    assertEquals(starts.slice(0, 4), [0, 10.1, 20.2, 30.3]);
  }));

for (
  const [what, headers] of [
    ["X-RateLimit-Reset", {
      "x-ratelimit-limit": "10",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": `${NOON / 1000 + 86_400}`,
    }],
    ["a reset in 300 million years", {
      "x-ratelimit-limit": "10",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "9".repeat(16),
    }],
    ["the draft's RateLimit", { ratelimit: '"day";r=0;t=86400' }],
  ] as const
) {
  Deno.test(`RateLimiter is held no longer than maxPause by ${what} of an accepted request`, () =>
    onFakeTime(async (time) => {
      const limiter = new RateLimiter({ maxPause: 40 });
      limiter.observe({ status: 200, headers });
      const turn = watch(limiter.acquire());
      await time.runMicrotasks();
      const { resumeAt, limits } = limiter.state;
      for (const at of [resumeAt, ...limits.map(({ resetAt }) => resetAt)]) {
        assert(at === undefined || !Number.isNaN(at.getTime()), `${at}`);
      }
      await runFor(time, 41);
      assertEquals(turn.state, "fulfilled");
    }));
}

Deno.test("RateLimiter measures the time that a server names by the server's own clock", () =>
  onFakeTime(async (time) => {
    for (const off of [-4000, -90, 0, 90, 4000]) {
      const start = now();
      const server = Date.now() / 1000 + off;
      const limiter = new RateLimiter();
      limiter.observe({
        status: 403,
        headers: {
          date: new Date(server * 1000).toUTCString(),
          "x-ratelimit-limit": "10",
          "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": `${server + 30}`,
        },
      });
      const turn = watch(limiter.acquire());
      await runFor(time, 29.9);
      assertEquals(turn.state, "pending", `off by ${off}`);
      await runFor(time, 1.2);
      assertEquals(turn.state, "fulfilled", `off by ${off}`);
      await runFor(time, 60 - (now() - start));
    }
  }));

// maxWait.

Deno.test("RateLimiter keeps nobody whose wait is known to be longer than maxWait", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ maxWait: 10 });
    limiter.observe(refusal(10));
    const turn = watch(limiter.acquire());
    await time.runMicrotasks();
    assertEquals(turn.state, "pending");
    limiter.observe(refusal(10.5));
    await time.runMicrotasks();
    const { reason, resumeAt, message } = errorOf(turn);
    assertEquals(resumeAt, new Date(NOON + 10_500));
    assert(reason && message.includes(reason), message);
    assertEquals(time.next(), false);
    const late = watch(limiter.acquire());
    await time.runMicrotasks();
    errorOf(late);
  }));

Deno.test("RateLimiter lets those go whose wait turns out to be longer than maxWait, refused or told so by headers", () =>
  onFakeTime(async (time) => {
    const answers = [
      refusal(600),
      {
        status: 200,
        headers: {
          "x-ratelimit-limit": "10",
          "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": "600",
        },
      },
    ];
    for (const answer of answers) {
      const limiter = new RateLimiter({ maxWait: 60 });
      const release = await limiter.acquire();
      const turns = [1, 2, 3].map(() => watch(limiter.acquire()));
      await runFor(time, 0.5);
      assertEquals(turns.map(({ state }) => state), Array(3).fill("pending"));
      release(answer);
      await time.runMicrotasks();
      for (const turn of turns) errorOf(turn);
      assertEquals(time.next(), false);
    }
  }));

Deno.test("retryWithBackoff() throws the last failure where the wait is longer than maxWait, and RateLimitError before the first", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ maxWait: 60 });
    const first = watch(
      retryWithBackoff(refuse(429, { "retry-after": "600" }), { limiter }),
    );
    await time.runMicrotasks();
    assertEquals((first.value as { status: number }).status, 429);
    let calls = 0;
    const second = watch(retryWithBackoff(() => calls++, { limiter }));
    await time.runMicrotasks();
    const { cause, resumeAt } = errorOf(second);
    assertStrictEquals(cause, first.value);
    assertEquals(resumeAt, new Date(NOON + 600_000));
    assertEquals([calls, time.next()], [0, false]);
  }));

// patience.

/** Calls so many times at once a server that refuses for ever. */
function refuseForEver(
  limiter: RateLimiter,
  count: number,
  headers: Record<string, string> = {},
  options: RetryOptions = {},
) {
  const starts: number[] = [];
  const ends: number[] = [];
  const calls = Array.from(
    { length: count },
    () =>
      watch(
        retryWithBackoff(async () => {
          starts.push(now());
          await wait(0.05);
          return refuse(429, headers)();
        }, { limiter, ...options }).finally(() => ends.push(now())),
      ),
  );
  const done = () => ends.length === count;
  return { starts, ends, calls, done };
}

Deno.test("RateLimiter gives everybody the refusal after patience without an accepted request", () =>
  onFakeTime(async (time) => {
    for (
      const [options, least] of [[{}, 300], [{ patience: 20 }, 20]] as const
    ) {
      const start = now();
      const limiter = new RateLimiter(options);
      const { calls, ends, starts, done } = refuseForEver(limiter, 10);
      await runUntil(time, done);
      // It is seen at the next refusal: a pause later, at the most.
      for (const end of ends) {
        const seconds = end - start;
        assert(seconds >= least && seconds <= least + 31, `${seconds} s`);
      }
      assert(starts.length < 60, `${starts.length} requests`);
      const errors = calls.map(({ value }) => value);
      const refused = errors.filter((error) =>
        (error as { status?: number }).status === 429
      );
      assert(refused.length > 0);
      for (const error of errors) {
        if (refused.includes(error)) continue;
        assert(error instanceof RateLimitError, String(error));
        assert(refused.includes((error as RateLimitError).cause));
      }
      assertEquals(time.next(), false);
    }
  }));

Deno.test("RateLimiter does not lose patience in a time that the server named", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ patience: 20 });
    let calls = 0;
    const outcome = watch(
      retryWithBackoff(
        () => calls++ < 3 ? refuse(429, { "retry-after": "100" })() : "done",
        { limiter },
      ),
    );
    await finish(time);
    assertEquals([outcome.value, now()], ["done", 300]);
  }));

Deno.test("RateLimiter does not count the time in which nobody wanted anything against patience", () =>
  onFakeTime(async (time) => {
    for (const status of [429, 503]) {
      const limiter = new RateLimiter({ patience: 60 });
      const first = watch(
        retryWithBackoff(refuse(status), {
          limiter,
          config: { maxRetries: 0 },
          shouldRetry: () => false,
        }),
      );
      await time.runMicrotasks();
      assertEquals(first.state, "rejected");
      await runFor(time, 1000);
      // An hour later, a refusal or two are no reason to give up.
      let request = 0;
      const calls = [1, 2, 3, 4].map(() =>
        watch(retryWithBackoff(async () => {
          const refused = request++ < 2;
          await wait(0.05);
          return refused ? refuse(429)() : "done";
        }, { limiter }))
      );
      await runUntil(
        time,
        () => calls.every(({ state }) => state !== "pending"),
      );
      assertEquals(calls.map(({ value }) => value), Array(4).fill("done"));
    }
  }));

Deno.test("RateLimiter begins anew after it lost patience", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ patience: 5 });
    const { calls, done } = refuseForEver(limiter, 3);
    await runUntil(time, done);
    assert(calls.every(({ state }) => state === "rejected"));
    await runFor(time, 60);
    const later = [1, 2, 3].map(() =>
      watch(retryWithBackoff(() => "done", { limiter }))
    );
    await finish(time);
    assertEquals(later.map(({ value }) => value), ["done", "done", "done"]);
  }));

Deno.test("RateLimiter does not start to be patient anew with every call that comes", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ patience: 60 });
    const ends: number[] = [];
    const call = async () => {
      const { reason } = await retryWithBackoff(async () => {
        await wait(2);
        return refuse(429)();
      }, { limiter }).then(
        () => ({ reason: undefined }),
        (reason) => ({ reason }),
      );
      ends.push(now());
      return reason;
    };
    const reasons: unknown[] = [];
    for (let id = 0; id < 12; id++) {
      call().then((reason) => reasons.push(reason));
      await runFor(time, 5);
    }
    await runUntil(time, () => ends.length === 12);
    assert(Math.max(...ends) < 100, `${ends}`);
    const impatient = reasons.filter((reason) =>
      reason instanceof RateLimitError
    );
    for (const { message } of impatient as RateLimitError[]) {
      assert(message.includes("nothing was accepted for 60 s"), message);
    }
  }));

// refusalStatusCodes.

Deno.test("RateLimiter takes what refusalStatusCodes says for a refusal, beside 429 and GitHub's 403", () =>
  onFakeTime(async (time) => {
    const github = { "x-ratelimit-remaining": "0" };
    const cases: [
      number[] | undefined,
      number,
      Record<string, string>,
      number,
    ][] = [
      [undefined, 429, {}, 1],
      [undefined, 503, {}, 0],
      [undefined, 403, {}, 0],
      [undefined, 403, github, 1],
      [[503], 503, {}, 1],
      [[503], 429, {}, 1],
      [[503], 403, github, 1],
      [[403], 403, {}, 1],
      [[509, 420], 420, {}, 1],
      [[], 429, {}, 1],
    ];
    for (const [refusalStatusCodes, status, headers, refused] of cases) {
      const limiter = new RateLimiter({ refusalStatusCodes });
      limiter.observe({ status, headers });
      assertEquals(
        limiter.state.refused,
        refused,
        `${status} beside ${refusalStatusCodes}`,
      );
      assertEquals(limiter.state.phase === "paused", refused === 1);
    }
    await time.runMicrotasks();
  }));

Deno.test("retryWithBackoff() tries again what the limiter takes for a refusal, whatever retryableStatusCodes says", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ refusalStatusCodes: [403] });
    let calls = 0;
    const outcome = watch(
      retryWithBackoff(() => calls++ < 6 ? refuse(403)() : "done", { limiter }),
    );
    await finish(time);
    assertEquals([outcome.value, calls], ["done", 7]);
    const strict = watch(
      retryWithBackoff(refuse(403), { limiter, shouldRetry: () => false }),
    );
    await finish(time);
    assertEquals((strict.value as { status: number }).status, 403);
  }));

// limit and window.

/** Takes so many turns, and notes when each came. */
function line(
  limiter: RateLimiter,
  count: number,
): { at: number; release: Release }[] {
  const turns: { at: number; release: Release }[] = [];
  for (let id = 0; id < count; id++) {
    limiter.acquire().then((release) => turns.push({ at: now(), release }));
  }
  return turns;
}

Deno.test("RateLimiter keeps to a limit in any window", () =>
  onFakeTime(async (time) => {
    for (
      const [limit, window] of [[1, 0.1], [3, 10], [5, 0.7], [2, 60]] as const
    ) {
      const start = now();
      const limiter = new RateLimiter({ limit, window });
      const turns = line(limiter, 2 * limit + 1);
      await finish(time);
      const times = turns.map(({ at }) => at - start);
      assertEquals(times.length, 2 * limit + 1);
      for (const [index, at] of times.slice(limit).entries()) {
        const seconds = at - times[index]!;
        assert(seconds >= window - 1e-6, `${limit} in ${seconds} s`);
      }
      const due = Math.floor((2 * limit) / limit) * window;
      assert(times.at(-1)! <= due + 0.01, `${times} for ${limit} in ${window}`);
    }
  }));

Deno.test("RateLimiter keeps to a limit in any window, however the requests come", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ limit: 4, window: 2 });
    const turns: { at: number; release: Release }[] = [];
    for (const pause of [0, 1.9, 0.2, 1.7, 3, 0.05, 0.05, 0.05, 0.05, 2]) {
      await runFor(time, pause);
      for (let id = 0; id < 2; id++) {
        limiter.acquire().then((release) => {
          turns.push({ at: now(), release });
          release({ status: turns.length % 5 ? 200 : 404 });
        });
      }
      await time.runMicrotasks();
    }
    await finish(time);
    assertEquals(turns.length, 20);
    for (const [index, { at }] of turns.slice(4).entries()) {
      assert(at - turns[index]!.at >= 2 - 1e-6, `${turns.map(({ at }) => at)}`);
    }
  }));

Deno.test("RateLimiter with a limit and a window obeys a refusal as well", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ limit: 5, window: 1 });
    limiter.observe(refusal(7));
    const turns = line(limiter, 2);
    await runFor(time, 6.999);
    assertEquals(turns.length, 0);
    await runFor(time, 0.001);
    assertEquals(turns.map(({ at }) => at), [7]);
  }));

Deno.test("RateLimiter takes no room for a limit that is not used", () => {
  new RateLimiter({ limit: 2 ** 40, window: 3600 });
});

Deno.test("RateLimiter leaves a rate and a burst alone that it is told, whatever headers say", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 100, burst: 5 });
    const answer = (remaining: number) => ({
      status: 200,
      headers: {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": `${remaining}`,
        "x-ratelimit-reset": "1",
      },
    });
    for (const remaining of [0, 0, 5, 0, 10, 0, 10, 10]) {
      const turns = line(limiter, 1);
      await runFor(time, 3);
      for (const { release } of turns) release(answer(remaining));
      await runFor(time, 3);
    }
    assertEquals(limiter.state.rate, 100);
    const start = now();
    const burst = line(limiter, 7);
    await runFor(time, 0.5);
    assertEquals(
      burst.map(({ at }) => Math.round((at - start) * 1000)),
      [0, 0, 0, 0, 0, 10, 20],
    );
  }));

Deno.test("RateLimiter makes a pause after every refusal, however fast it is told to be", () =>
  onFakeTime(async (time) => {
    const options: RateLimiterOptions[] = [
      { rate: 1e9, burst: 1e9 },
      { limit: 1e6, window: 1e-3 },
      {},
    ];
    for (const option of options) {
      const limiter = new RateLimiter(option);
      let calls = 0;
      const outcome = watch(
        retryWithBackoff(() => {
          if (calls++ > 10_000) throw new Error("a hot loop");
          return calls < 4 || now() === 0 ? refuse(429)() : "done";
        }, { limiter }),
      );
      await finish(time);
      assertEquals(outcome.value, "done");
      assert(calls < 100, `${calls}`);
    }
  }));

// Turns.

Deno.test("RateLimiter gives a free turn in the same tick", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 10, burst: 3 });
    let called = 0;
    const calls = [
      retryWithBackoff(() => called++, { limiter }),
      limiter.run(() => called++),
      limiter.acquire(),
    ];
    // Before anything had a chance to wait.
    assertEquals([limiter.state.underWay, called], [3, 1]);
    await time.runMicrotasks();
    assertEquals(called, 2);
    await Promise.all(calls);
  }));

Deno.test("RateLimiter is held back by turns that are never released no longer than by a silence", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const turns = line(limiter, 200);
    await finish(time);
    assertEquals(turns.length, 200);
    const gaps = turns.slice(1).map(({ at }, index) => at - turns[index]!.at);
    assert(Math.max(...gaps) <= 30, `${Math.max(...gaps)}`);
  }));

Deno.test("RateLimiter is held back no longer than 30 s by a probe that is never released, however slow the server", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    for (let request = 0; request < 5; request++) {
      const release = await limiter.acquire();
      await runFor(time, 100);
      release({ status: 200 });
    }
    limiter.observe(refusal(1));
    const start = now();
    const turns = line(limiter, 2);
    await runFor(time, 1);
    assertEquals(turns.length, 1);
    await runFor(time, 30.1);
    assertEquals(turns.length, 2, `${now() - start}`);
  }));

Deno.test("RateLimiter waits for a release for ever where maxConcurrent is reached", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ maxConcurrent: 2 });
    const turns = line(limiter, 3);
    await runFor(time, 86_400);
    assertEquals(turns.length, 2);
    turns[0]!.release();
    await time.runMicrotasks();
    assertEquals(turns.length, 3);
  }));

Deno.test("RateLimiter learns an answer that comes after it was given up as unanswered", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const [first] = await Promise.all([limiter.acquire()]);
    const turns = line(limiter, 1);
    await runFor(time, 5);
    assertEquals(turns.length, 1);
    first(refusal(50));
    const later = line(limiter, 1);
    await runFor(time, 49);
    assertEquals([later.length, limiter.state.refused], [0, 1]);
    await runFor(time, 1);
    assertEquals(later.length, 1);
  }));

Deno.test("RateLimiter does not spin where a silence ends between two milliseconds", () =>
  onFakeTime(async (time) => {
    for (let took = 0.257; took < 7; took += 0.111) {
      const limiter = new RateLimiter();
      const first = await limiter.acquire();
      await runFor(time, took);
      first({ status: 200 });
      const turns = line(limiter, 40);
      await runFor(time, 300);
      assertEquals(turns.length, 40);
    }
  }));

Deno.test("RateLimiter does not spin where it is to tell of turns that nobody gives back", () =>
  onFakeTime(async (time) => {
    for (let pause = 0.001; pause < 1; pause += 0.013) {
      const told: unknown[] = [];
      const limiter = new RateLimiter({
        maxConcurrent: 1,
        onEvent: (event) => told.push(event),
      });
      await runFor(time, pause);
      const turns = line(limiter, 2);
      await runFor(time, 40);
      assertEquals([turns.length, told.length], [1, 1]);
      turns[0]!.release({ status: 200 });
    }
  }));

// run.

Deno.test("RateLimiter.run() gives what the function returned or threw, and learns from it", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    assertEquals(await limiter.run(() => "sync"), "sync");
    assertEquals(await limiter.run(() => Promise.resolve("async")), "async");
    assertEquals(limiter.state.accepted, 2);
    const refused = refuse(429, { "retry-after": "5" })();
    assertStrictEquals(await limiter.run(() => refused), refused);
    assertEquals([limiter.state.refused, limiter.state.underWay], [1, 0]);
    const error = Object.assign(new Error("throttled"), { status: 429 });
    const thrown = watch(limiter.run(() => Promise.reject(error)));
    await runFor(time, 5);
    assertStrictEquals(thrown.value, error);
    assertEquals([limiter.state.refused, limiter.state.underWay], [2, 0]);
    const other = new Error("a bug");
    await runFor(time, 60);
    const bug = watch(limiter.run(() => {
      throw other;
    }));
    await finish(time);
    assertStrictEquals(bug.value, other);
    assertEquals([limiter.state.refused, limiter.state.underWay], [2, 0]);
  }));

Deno.test("RateLimiter.run() leaves the queue when its signal aborts, and then never calls", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    limiter.observe(refusal(5));
    const controller = new AbortController();
    let calls = 0;
    const outcome = watch(
      limiter.run(() => calls++, { signal: controller.signal }),
    );
    await runFor(time, 1);
    controller.abort("reason");
    await time.runMicrotasks();
    assertEquals(outcome, { state: "rejected", value: "reason" });
    assertEquals([calls, time.next()], [0, false]);
  }));

Deno.test("RateLimiter.run() refuses what is no function", async () => {
  await assertRejects(
    () => new RateLimiter().run("fetch" as unknown as () => void),
    TypeError,
    "'fn' must be a function",
  );
});

Deno.test("RateLimiter lets whoever has to wait no longer go in its order, after an abort in front", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 1, burst: 1 });
    const order: string[] = [];
    const controller = new AbortController();
    const { signal } = controller;
    limiter.acquire().then(() => order.push("a"));
    limiter.acquire({ signal }).then(() => order.push("b"), () => {});
    limiter.acquire().then(() => order.push("c"));
    limiter.acquire().then(() => order.push("d"));
    await runFor(time, 0.5);
    controller.abort();
    await runFor(time, 0.5);
    assertEquals(order, ["a", "c"]);
    // Nobody comes before those who wait, however free the turn.
    limiter.acquire().then(() => order.push("e"));
    await finish(time);
    assertEquals(order, ["a", "c", "d", "e"]);
  }));

import { assert, assertEquals } from "@std/assert";
import { createFetch } from "../fetch.ts";
import {
  type LimiterEvent,
  RateLimiter,
  type RateLimiterOptions,
} from "../rate_limiter.ts";
import { retryWithBackoff } from "../retry.ts";
import { now, wait, WAYS, work } from "../testing/job.ts";
import {
  EXACT,
  finish,
  onFakeTime,
  pass,
  play,
  refuse,
  watch,
} from "../testing/play.ts";
import {
  bucket,
  fixedWindow,
  type Limit,
  randomNumbers,
} from "../testing/simulate.ts";

// What servers did to people, as they met it.

/** Jira Data Center's headers, without a reset. */
const JIRA = {
  "x-ratelimit-limit": "10",
  "x-ratelimit-remaining": "0",
  "x-ratelimit-fillrate": "2",
  "x-ratelimit-interval-seconds": "1",
};

/** Refusals that name no time. */
const NAMELESS: Record<string, Record<string, string>> = {
  "no header": {},
  "Retry-After: 0": { "retry-after": "0" },
  "nothing left and a reset of 0": {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "0",
  },
  "Jira's headers without a reset": { ...JIRA, "retry-after": "0" },
  "Jira's headers without a fill rate": {
    "x-ratelimit-limit": "10",
    "x-ratelimit-remaining": "0",
  },
};

const SETTINGS: Record<string, RateLimiterOptions> = {
  "nothing told": {},
  "maxConcurrent": { maxConcurrent: 4 },
  "a rate": { rate: 10 },
};

for (const [what, headers] of Object.entries(NAMELESS)) {
  for (const [name, options] of Object.entries(SETTINGS)) {
    Deno.test(`RateLimiter goes on after a 429 with ${what}, ${name}`, () =>
      onFakeTime(async (time) => {
        for (const refused of [[0], [1, 2], [0, 1, 2, 3]]) {
          let request = 0;
          const limit: Limit = () =>
            refused.includes(request++)
              ? { status: 429, headers }
              : { status: 200, headers: {} };
          const result = await work(time, {
            limiter: new RateLimiter(options),
            limit,
            workers: 2,
            items: 5,
          });
          assertEquals([result.done, result.lost], [5, []]);
          assert(result.seconds < 15, `${result.seconds} s`);
        }
      }));
  }
}

Deno.test("RateLimiter goes on after headers without a reset, then two refusals with the same", () =>
  onFakeTime(async (time) => {
    for (const remaining of ["0", "1", "5"]) {
      const headers = {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": remaining,
      };
      let request = 0;
      const limit: Limit = () => ({
        status: [1, 2].includes(request++) ? 429 : 200,
        headers,
      });
      const { done, seconds } = await work(time, {
        limiter: new RateLimiter(),
        limit,
        workers: 2,
        items: 5,
      });
      assertEquals(done, 5);
      assert(seconds < 15, `${seconds} s`);
    }
  }));

for (const rate of [1, 2, 5]) {
  Deno.test(`RateLimiter brings 18 items home from Jira Data Center at ${rate} a second`, () =>
    onFakeTime(async (time) => {
      let tokens = rate;
      let at = 0;
      const limit: Limit = (now) => {
        tokens = at ? Math.min(rate, tokens + (now - at) * rate) : rate;
        at = now;
        const allowed = tokens >= 1;
        if (allowed) tokens--;
        return {
          status: allowed ? 200 : 429,
          headers: {
            "x-ratelimit-limit": `${rate}`,
            "x-ratelimit-remaining": `${Math.floor(tokens)}`,
            "x-ratelimit-fillrate": `${rate}`,
            "x-ratelimit-interval-seconds": "1",
            ...!allowed && { "retry-after": "0" },
          },
        };
      };
      const { done, lost, seconds } = await work(time, {
        limiter: new RateLimiter(),
        limit,
        workers: 3,
        items: 18,
      });
      assertEquals([done, lost], [18, []]);
      const best = (18 - rate) / rate;
      assert(seconds < 1.5 * best + 2, `${seconds} s instead of ${best}`);
    }));
}

Deno.test("createFetch() waits for GitHub's reset in 40 minutes, and asks once then", () =>
  onFakeTime(async (time) => {
    const starts: number[] = [];
    const reset = Math.floor(Date.now() / 1000) + 2400;
    const inner = () => {
      starts.push(now());
      return Promise.resolve(
        now() < 2400
          ? new Response(null, {
            status: 403,
            headers: {
              "x-ratelimit-limit": "5000",
              "x-ratelimit-remaining": "0",
              "x-ratelimit-reset": `${reset}`,
            },
          })
          : new Response("here you are"),
      );
    };
    const fetch = createFetch({
      fetch: inner,
      config: { maxRetries: 5, maxRetryAfter: 3600 },
      limiter: new RateLimiter(),
    });
    const outcome = watch(
      fetch("https://a.example/").then((response) => response.text()),
    );
    await finish(time);
    assertEquals([starts, outcome.value], [[0, 2400], "here you are"]);
  }));

Deno.test("retryWithBackoff() announces what it waits in the limiter, whatever maxRetryAfter says", async () => {
  const { starts, events } = await play(
    [refuse(429, { "retry-after": "120" }), "done"],
    { config: { ...EXACT, maxRetryAfter: 5 }, limiter: new RateLimiter() },
  );
  assertEquals(starts, [0, 120]);
  assertEquals(
    events.map(({ delay, delaySource }) => [delay, delaySource]),
    [[120, "retry-after"]],
  );
});

Deno.test("RateLimiter lets 32 workers fail within a minute that could not wait, with few requests", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ maxWait: 60 });
    let request = 0;
    const { sent, seconds, done, lost } = await work(time, {
      limiter,
      limit: () =>
        request++ < 20
          ? { status: 200, headers: {} }
          : { status: 429, headers: { "retry-after": "3000" } },
      workers: 32,
      items: 52,
      options: { shouldRetry: ({ status }) => status !== 429 },
    });
    assertEquals([done, lost.length], [20, 32]);
    assert(seconds <= 60, `${seconds} s`);
    assert(sent.length <= 60, `${sent.length} requests`);
  }));

/** Three calls at once, each of which makes another and waits for it. */
function nest(outer: RateLimiter, inner: RateLimiter) {
  return [1, 2, 3].map(() =>
    watch(retryWithBackoff(async () => {
      await wait(0.1);
      return await retryWithBackoff(() => "inner", { limiter: inner });
    }, { limiter: outer }))
  );
}

Deno.test("RateLimiter tells of calls that wait for each other's turns", () =>
  onFakeTime(async (time) => {
    const events: LimiterEvent[] = [];
    const limiter = new RateLimiter({
      maxConcurrent: 2,
      onEvent: (event) => events.push(event),
    });
    const calls = nest(limiter, limiter);
    await pass(time, 0.2);
    await pass(time, 300);
    assertEquals(calls.map(({ state }) => state), Array(3).fill("pending"));
    assertEquals([limiter.state.waiting, limiter.state.underWay], [3, 2]);
    const shown = events.some((event) =>
      "waiting" in event && event.waiting === 3
    );
    assert(shown, "no event shows it");
  }));

Deno.test("RateLimiter bears calls within calls that have a limiter of their own", () =>
  onFakeTime(async (time) => {
    const calls = nest(
      new RateLimiter({ maxConcurrent: 2 }),
      new RateLimiter({ maxConcurrent: 2 }),
    );
    await finish(time);
    assertEquals(calls.map(({ value }) => value), Array(3).fill("inner"));
  }));

const EXACTLY_TOLD: Record<string, () => Limit> = {
  "a bucket with Jira's headers": () => bucket(50, 20, "fill"),
  "a window with X-RateLimit-*": () => fixedWindow(100, 10, "legacy"),
};

for (const [server, limit] of Object.entries(EXACTLY_TOLD)) {
  for (const [how, way] of Object.entries(WAYS)) {
    Deno.test(`RateLimiter is not refused by ${server}, whoever ${how}`, () =>
      onFakeTime(async (time) => {
        const random = randomNumbers(5);
        const result = await work(time, {
          limiter: new RateLimiter(),
          limit: limit(),
          workers: 32,
          items: 600,
          way,
          // Answers overtake each other.
          latency: () => 0.005 + 0.05 * random(),
        });
        assertEquals([result.done, result.lost], [600, []]);
        assertEquals(result.refused, []);
      }));
  }
}

Deno.test("createFetch() tries again what the limiter takes for a refusal, of any method", () =>
  onFakeTime(async (time) => {
    for (const method of ["GET", "POST"]) {
      for (const status of [403, 503]) {
        const limiter = new RateLimiter({ refusalStatusCodes: [status] });
        let calls = 0;
        const fetch = createFetch({
          limiter,
          fetch: () =>
            Promise.resolve(
              ++calls < 7
                ? new Response(null, { status })
                : new Response("here you are"),
            ),
        });
        const outcome = watch(
          fetch("https://a.example/", { method, body: null })
            .then((response) => response.text()),
        );
        await finish(time);
        assertEquals([calls, outcome.value], [7, "here you are"]);
      }
    }
  }));

Deno.test("RateLimiter brings a job home from a server that bears 20 at once beside its window", () =>
  onFakeTime(async (time) => {
    const random = randomNumbers(3);
    const window = fixedWindow(5000, 3600, "legacy");
    const limit: Limit = (now, underWay) => {
      if (underWay <= 20) return window(now, underWay);
      const { headers } = window(now, underWay);
      return { status: 429, headers };
    };
    const { done, lost, refused, seconds } = await work(time, {
      limiter: new RateLimiter(),
      limit,
      workers: 64,
      items: 2000,
      latency: () => 0.04 + 0.02 * random(),
    });
    assertEquals([done, lost], [2000, []]);
    // 20 at once, 0.1 s each.
    assert(seconds < 20, `${seconds} s`);
    assert(refused.length < 200, `${refused.length} refused`);
  }));

Deno.test("RateLimiter brings a job home from a server that says nothing, fast or slow", () =>
  onFakeTime(async (time) => {
    for (const rate of [1, 20, 500]) {
      const { done, lost, seconds } = await work(time, {
        limiter: new RateLimiter(),
        limit: bucket(rate, Math.max(1, rate / 10), "none"),
        workers: 16,
        items: Math.max(40, rate * 5),
      });
      const items = Math.max(40, rate * 5);
      assertEquals([done, lost], [items, []], `${rate} a second`);
      assert(seconds < 3 * items / rate, `${seconds} s at ${rate} a second`);
    }
  }));

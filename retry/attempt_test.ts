import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { stub } from "@std/testing/mock";
import { toHeaders } from "../http/headers.ts";
import { queueOf, type Result } from "../queue/queue.ts";
import { type Answer, RateLimiter } from "../rate_limiter.ts";
import { type Attempt, retryable, retryWithBackoff } from "../retry.ts";
import {
  countListeners,
  EXACT,
  finish,
  networkError,
  onFakeTime,
  pass,
  play,
  watch,
} from "../testing/play.ts";

const exact = { config: EXACT };
const url = "https://api.example.com/";

type Fetch = (url: string, init?: RequestInit) => unknown;

/** Runs `body` with another global `fetch`. */
async function withFetch(
  fetch: Fetch,
  body: () => unknown,
): Promise<void> {
  const stubbed = stub(
    globalThis,
    "fetch",
    ((input: string, init?: RequestInit) =>
      Promise.resolve().then(() =>
        fetch(input, init)
      )) as typeof globalThis.fetch,
  );
  try {
    await body();
  } finally {
    stubbed.restore();
  }
}

/** What a limiter was told, as far as a test can say it. */
type Told = { status: number; mark?: string } | undefined;

/** A limiter, and what it is told of turns and of requests without one. */
function listener() {
  const limiter = new RateLimiter();
  const queue = queueOf(limiter)!;
  const { tell, observe } = queue;
  const turns: Told[] = [];
  const others: Told[] = [];
  queue.tell = (turn, result) => {
    turns.push(toldOf(result));
    return tell.call(queue, turn, result);
  };
  queue.observe = (result) => {
    others.push(toldOf(result));
    return observe.call(queue, result);
  };
  return { limiter, turns, others };
}

function toldOf(result: Result | undefined): Told {
  if (result?.status === undefined) return undefined;
  const mark = toHeaders(result.headers)?.get("x-is");
  return { status: result.status, ...mark && { mark } };
}

// fetch.

Deno.test("Attempt.fetch() is the global fetch of the moment, and works taken out", async () => {
  const calls: unknown[][] = [];
  await retryWithBackoff(async ({ fetch }) => {
    await withFetch((...args) => {
      calls.push(args);
      return new Response("mocked");
    }, async () => {
      assertEquals(await (await fetch(url)).text(), "mocked");
      const init = { method: "PUT" };
      await fetch(url, init);
      // Nothing can end this attempt: all goes as it came.
      assertStrictEquals(calls[1]![1], init);
    });
  });
  assertEquals(calls, [[url, undefined], [url, { method: "PUT" }]]);
});

Deno.test("Attempt.fetch() tells the limiter its answer, whatever the function makes of it", async () => {
  for (
    const use of [
      (response: Response) => response,
      (response: Response) => response.text(),
      async (response: Response) => {
        await response.text();
        throw new Error("other");
      },
    ]
  ) {
    const { limiter, turns, others } = listener();
    const answer = new Response("body", { headers: { "x-is": "told" } });
    await withFetch(() => answer, () =>
      play([
        async ({ fetch }: Attempt) => use(await fetch(url)),
      ], { ...exact, limiter }));
    assertEquals([turns, others], [
      [{ status: 200, mark: "told" }],
      [],
    ]);
  }
});

Deno.test("Attempt.fetch() tells a refusal once, returned or thrown", async () => {
  for (const thrown of [false, true]) {
    const { limiter, turns, others } = listener();
    const answers = [new Response(null, { status: 503 }), new Response()];
    const left = [...answers];
    await withFetch(() => left.shift(), () =>
      play([
        async ({ fetch }: Attempt) => {
          const response = await fetch(url);
          if (thrown && !response.ok) throw response;
          return response;
        },
      ], { ...exact, limiter }));
    assertEquals([turns, others], [[{ status: 503 }, { status: 200 }], []]);
  }
});

Deno.test("Attempt.fetch() has further answers learned as those of requests without a turn", async () => {
  const { limiter, turns, others } = listener();
  const answers = [200, 201, 202].map((status) =>
    new Response(null, { status })
  );
  const left = [...answers];
  await withFetch(() => left.shift(), () =>
    play([
      async ({ fetch }: Attempt) => {
        for (const _ of answers) await fetch(url);
        return "done";
      },
    ], { limiter }));
  assertEquals(turns, [{ status: 200 }]);
  assertEquals(others, [{ status: 201 }, { status: 202 }]);
});

Deno.test("Attempt.fetch() rejects as fetch does, and tells nothing", async () => {
  const { limiter, turns, others } = listener();
  const error = new TypeError("x");
  await withFetch(() => Promise.reject(error), async () => {
    const { value } = await play([({ fetch }: Attempt) => fetch(url)], {
      limiter,
    });
    assertStrictEquals(value, error);
  });
  assertEquals([turns, others], [[undefined], []]);
});

Deno.test("Attempt.fetch() takes a mock that resolves with anything", async () => {
  const { limiter, turns } = listener();
  for (const answer of [undefined, "text", { ok: true }]) {
    await withFetch(() => answer, async () => {
      const { value } = await play([({ fetch }: Attempt) => fetch(url)], {
        limiter,
      });
      assertStrictEquals(value, answer);
    });
  }
  assertEquals(turns, [{ status: 200 }, { status: 200 }, { status: 200 }]);
});

/** A `fetch` that never answers, but heeds its signal. */
const unanswered: Fetch = (_, init) =>
  new Promise((_, reject) => {
    const signal = init!.signal!;
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });

Deno.test("Attempt.fetch() ends with the attempt", () =>
  withFetch(unanswered, () =>
    onFakeTime(async (time) => {
      const seen: unknown[] = [];
      const outcome = watch(
        retryWithBackoff(({ fetch }) =>
          fetch(url).catch((error) => {
            seen.push(error);
            throw error;
          }), { ...exact, attemptTimeout: 2 }),
      );
      await finish(time);
      assertEquals(seen.length, 4);
      assertStrictEquals(seen[3], outcome.value);
      assertEquals((outcome.value as Error).name, "TimeoutError");
    })));

Deno.test("Attempt.fetch() joins the caller's signal to that of its init or its Request", () =>
  withFetch((input, init) => {
    assertEquals(init!.method, "PUT");
    return unanswered(input, init);
  }, () =>
    onFakeTime(async (time) => {
      for (const which of ["attempt", "init", "request"]) {
        const controllers: Record<string, AbortController> = {
          attempt: new AbortController(),
          init: new AbortController(),
          request: new AbortController(),
        };
        const signal = controllers.attempt!.signal;
        const listeners = countListeners(signal);
        const input = which === "request"
          ? new Request(url, { signal: controllers.request!.signal })
          : url;
        const own = which === "request"
          ? {}
          : { signal: controllers.init!.signal };
        let seen: unknown;
        const outcome = watch(retryWithBackoff(({ fetch }) =>
          fetch(input, { method: "PUT", ...own })
            .catch((error) => {
              seen = error;
              throw error;
            }), { signal }));
        await pass(time, 1);
        assertEquals(outcome.state, "pending");
        controllers[which]!.abort("reason");
        await pass(time, 1);
        assertEquals([outcome.value, seen], ["reason", "reason"]);
        assertEquals(listeners.added, listeners.removed);
      }
    })));

Deno.test("Attempt.fetch() lets `signal: null` take the signal of a Request away", () =>
  withFetch(unanswered, () =>
    onFakeTime(async (time) => {
      const controller = new AbortController();
      const request = new Request(url, { signal: controller.signal });
      const outcome = watch(retryWithBackoff(
        ({ fetch }) => fetch(request, { signal: null }),
        { attemptTimeout: 5, config: { maxRetries: 0 } },
      ));
      controller.abort("reason");
      await pass(time, 4);
      assertEquals(outcome.state, "pending");
      await pass(time, 1);
      assertEquals((outcome.value as Error).name, "TimeoutError");
    })));

Deno.test("Attempt.fetch() goes on reaching the body with its own signal", async () => {
  const controller = new AbortController();
  let seen: AbortSignal | undefined;
  let response: unknown;
  await withFetch((_, init) => {
    seen = init!.signal!;
    return new Response("body");
  }, async () => {
    response = await retryWithBackoff(
      ({ fetch }) => fetch(url, { signal: controller.signal }),
      { attemptTimeout: 5 },
    );
  });
  assertEquals(seen!.aborted, false);
  controller.abort("reason");
  assertEquals(seen!.reason, "reason");
  assert(response instanceof Response);
});

Deno.test("Attempt.fetch() takes a signal that is not the runtime's, and leaves what is none to fetch", async () => {
  // Of abortcontroller-polyfill, as node-fetch 2 is used with.
  let handler: (() => void) | undefined;
  const foreign = {
    aborted: false,
    reason: "reason",
    addEventListener: (_: string, given: typeof handler) => {
      handler = given;
    },
    removeEventListener: () => {},
  };
  await withFetch(unanswered, async () => {
    const init = { signal: foreign as unknown as AbortSignal };
    const outcome = watch(retryWithBackoff(({ fetch }) => fetch(url, init), {
      signal: new AbortController().signal,
    }));
    await new Promise((turn) => setTimeout(turn, 0));
    handler!();
    await new Promise((turn) => setTimeout(turn, 0));
    assertEquals(outcome, { state: "rejected", value: "reason" });
  });
  const init = { signal: "no signal" as unknown as AbortSignal };
  await withFetch((_, given) => {
    assertStrictEquals(given, init);
    throw new TypeError("no signal");
  }, () =>
    assertRejects(
      () =>
        retryWithBackoff(({ fetch }) => fetch(url, init), {
          signal: new AbortController().signal,
        }),
      TypeError,
      "no signal",
    ));
});

// observe.

Deno.test("Attempt.observe() tells the answer of another client, which is not learned again from what it throws", async () => {
  const { limiter, turns, others } = listener();
  const headers = { "retry-after": "3", "x-is": "429" };
  const answer = { status: 429, headers };
  const { starts } = await play([
    ({ observe }: Attempt) => {
      observe(answer);
      throw Object.assign(new Error("refused"), { response: answer });
    },
    "done",
  ], { ...exact, limiter });
  assertEquals(turns, [{ status: 429, mark: "429" }, { status: 200 }]);
  assertEquals([starts, others], [[0, 3], []]);
});

Deno.test("Attempt.observe() takes the same answer told twice for one", async () => {
  const { limiter, turns, others } = listener();
  const answer = new Response("body");
  await withFetch(() => answer, () =>
    play([
      async ({ fetch, observe }: Attempt) => {
        const response = await fetch(url);
        observe(response);
        observe(response);
        return await response.text();
      },
    ], { limiter }));
  assertEquals([turns, others], [[{ status: 200 }], []]);
});

Deno.test("Attempt.observe() has a refusal that nobody observed learned as well", async () => {
  // A limit told in the body of a 200, or by a client beside `fetch`.
  const { limiter, turns, others } = listener();
  const answer = { status: 200 };
  await play([
    ({ observe }: Attempt) => {
      observe(answer);
      throw Object.assign(new Error("throttled"), { status: 429 });
    },
    "done",
  ], { ...exact, limiter });
  assertEquals(turns, [{ status: 200 }, { status: 200 }]);
  assertEquals(others, [{ status: 429 }]);
});

Deno.test("Attempt.observe() does not take an observed refusal for another one", async () => {
  const { limiter, turns, others } = listener();
  const answers = [{ status: 429 }, { status: 200 }];
  await play([
    ({ observe }: Attempt) => {
      answers.forEach(observe);
      throw Object.assign(new Error("refused"), answers[0]);
    },
    "done",
  ], { ...exact, limiter });
  assertEquals([turns[0], others], [{ status: 429 }, [{ status: 200 }]]);
});

Deno.test("Attempt.observe() teaches what came before a timeout as the turn's, later as no turn's, and never twice", () =>
  onFakeTime(async (time) => {
    const { limiter, turns, others } = listener();
    const early = { status: 200, headers: { "x-is": "early" } };
    const late = { status: 429, headers: { "x-is": "late" } };
    const outcome = watch(retryWithBackoff(async ({ number, observe }) => {
      if (number === 1) observe(early);
      await new Promise((done) => setTimeout(done, 3000));
      observe(number === 1 ? early : late);
    }, { config: { ...EXACT, maxRetries: 1 }, limiter, attemptTimeout: 2 }));
    await finish(time);
    assertEquals(outcome.state, "rejected");
    assertEquals(turns, [{ status: 200, mark: "early" }, undefined]);
    assertEquals(others, [{ status: 429, mark: "late" }]);
  }));

Deno.test("Attempt.observe() refuses what is no answer, with a limiter and without", async () => {
  for (const options of [{}, { limiter: listener().limiter }]) {
    for (const answer of [undefined, null, {}, { statusCode: 200 }]) {
      await assertRejects(
        () =>
          retryWithBackoff(
            ({ observe }) => observe(answer as unknown as Answer),
            options,
          ),
        TypeError,
        "'answer' must be a Response or { status, headers }",
      );
    }
  }
});

Deno.test("Attempt.observe() does nothing without a limiter", async () => {
  const answer = { status: 429 };
  const { starts, value } = await play([({ observe }: Attempt) => {
    observe(answer);
    return "done";
  }]);
  assertEquals([starts, value], [[0], "done"]);
});

Deno.test("retryable() tells the limiter what was returned or thrown", async () => {
  const { limiter, turns } = listener();
  const results = [networkError(), new Response()];
  const get = retryable(() => {
    const result = results.shift();
    if (result instanceof Error) throw result;
    return result;
  }, { limiter, config: { baseDelay: 0 } });
  const response = await get();
  assertEquals(turns, [undefined, { status: 200 }]);
  assertEquals(response!.status, 200);
});

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { createFetch, type FetchOptions } from "./fetch.ts";
import { HttpError } from "./http_error.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { RetryConfig } from "./retry.ts";
import {
  countListeners,
  EXACT,
  finish,
  networkError,
  NOON,
  onFakeTime,
  pass,
  watch,
} from "./testing/play.ts";

const url = "https://api.example.com/items";

/** What a scripted `fetch` saw. */
interface Seen {
  method: string;
  body: string;
  at: number;
  signal: AbortSignal | null;
}

/** A `fetch` that does what `script` says, the last entry for all that follow. */
function scripted(script: readonly unknown[]) {
  const seen: Seen[] = [];
  const inner = async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, { ...init, signal: null });
    const body = await request.text();
    const step = script[Math.min(seen.length, script.length - 1)];
    seen.push({
      method: request.method,
      body,
      at: (Date.now() - NOON) / 1000,
      signal: init?.signal ?? null,
    });
    if (step instanceof Error) throw step;
    if (typeof step === "function") return step(init?.signal);
    return new Response(
      "body",
      typeof step === "number" ? { status: step } : step as ResponseInit,
    );
  };
  return { seen, inner: inner as typeof fetch };
}

/** Fetches once on a fake clock. */
async function run(
  script: readonly unknown[],
  init?: RequestInit | Request,
  options: FetchOptions = {},
) {
  const { seen, inner } = scripted(script);
  const fetch = createFetch({ config: EXACT, ...options, fetch: inner });
  let outcome = watch(Promise.resolve());
  await onFakeTime(async (time) => {
    outcome = watch(init instanceof Request ? fetch(init) : fetch(url, init));
    await finish(time);
  });
  return {
    seen,
    starts: seen.map(({ at }) => at),
    outcome,
    response: outcome.value as Response,
  };
}

Deno.test("createFetch() resolves with what fetch resolves with", async () => {
  const { starts, response } = await run([200]);
  assertEquals([starts, response.status, await response.text()], [
    [0],
    200,
    "body",
  ]);
});

Deno.test("createFetch() retries, and resolves with the last response, its body unread", async () => {
  const { starts, response } = await run([503]);
  assertEquals(starts, [0, 1, 3, 7]);
  assertEquals([response.status, await response.text()], [503, "body"]);
});

Deno.test("createFetch() resolves with a 404 at once", async () => {
  const { starts, response } = await run([404]);
  assertEquals([starts, response.status, await response.text()], [
    [0],
    404,
    "body",
  ]);
});

Deno.test("createFetch() rejects with the network's error as it is", async () => {
  const error = networkError();
  const { starts, outcome } = await run([error]);
  assertEquals(starts, [0, 1, 3, 7]);
  assertStrictEquals(outcome.value, error);
});

Deno.test("createFetch() takes any TypeError of fetch for the network's, but not of the certificate", async () => {
  const unknown = new TypeError("words of a runtime to come");
  assertEquals((await run([unknown, 200])).starts, [0, 1]);
  const certificate = new TypeError("fetch failed", {
    cause: new Error("invalid peer certificate"),
  });
  assertEquals((await run([certificate])).starts, [0]);
  assertEquals((await run([new Error("other")])).starts, [0]);
});

Deno.test("createFetch() does not take a HttpError of the wrapped fetch for its own", async () => {
  const error = new HttpError(new Response(null, { status: 404 }));
  assertStrictEquals((await run([error])).outcome.value, error);
});

for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "put"]) {
  Deno.test(`createFetch() retries ${method} after every failure that may pass`, async () => {
    assertEquals((await run([503, 200], { method })).starts, [0, 1]);
    assertEquals((await run([networkError(), 200], { method })).starts, [0, 1]);
  });
}

for (const method of ["POST", "PATCH"]) {
  Deno.test(`createFetch() retries ${method} only where the server did not process it`, async () => {
    const init = { method, body: "x" };
    for (
      const step of [
        503,
        { status: 504, headers: { "retry-after": "2" } },
        networkError(),
        new DOMException("", "TimeoutError"),
      ]
    ) {
      assertEquals((await run([step, 200], init)).starts, [0]);
    }
    assertEquals((await run([429, 200], init)).starts, [0, 1]);
    for (
      const [status, headers] of [
        [503, { "retry-after": "2" }],
        [403, { "retry-after": "2" }],
        [500, { "x-should-retry": "true", "retry-after": "2" }],
      ] as const
    ) {
      assertEquals(
        (await run([{ status, headers }, 200], init)).starts,
        [0, 2],
        `${status}`,
      );
    }
  });
}

Deno.test("createFetch() retries a POST with an Idempotency-Key as it does a PUT", async () => {
  const init = {
    method: "POST",
    body: "x",
    headers: { "idempotency-key": "1" },
  };
  assertEquals((await run([503, networkError(), 200], init)).starts, [0, 1, 3]);
});

Deno.test("createFetch() takes the methods that may be repeated, in any letter case", async () => {
  const init = { method: "POST", body: "x" };
  assertEquals((await run([503, 200], init, { methods: ["post"] })).starts, [
    0,
    1,
  ]);
  assertEquals((await run([503, 200], {}, { methods: ["post"] })).starts, [0]);
  const patch = { method: "patch", body: "x" };
  assertEquals((await run([503, 200], patch, { methods: ["Patch"] })).starts, [
    0,
    1,
  ]);
});

Deno.test("createFetch() lets shouldRetry replace the statuses, not the rule of methods", async () => {
  const shouldRetry = () => true;
  assertEquals((await run([404, 200], {}, { shouldRetry })).starts, [0, 1]);
  assertEquals(
    (await run([404, 200], { method: "POST" }, { shouldRetry })).starts,
    [0],
  );
  assertEquals(
    (await run([503, 200], {}, { shouldRetry: () => Promise.resolve(false) }))
      .starts,
    [0],
  );
});

const BODIES: [string, () => BodyInit, string][] = [
  ["a string", () => "text", "text"],
  ["bytes", () => new TextEncoder().encode("bytes"), "bytes"],
  ["a buffer", () => new TextEncoder().encode("buffer").buffer, "buffer"],
  ["a Blob", () => new Blob(["blob"]), "blob"],
  ["URLSearchParams", () => new URLSearchParams({ a: "1" }), "a=1"],
];

for (const [name, body, text] of BODIES) {
  Deno.test(`createFetch() sends ${name} again whole`, async () => {
    const { seen } = await run([503, 503, 200], {
      method: "PUT",
      body: body(),
    });
    assertEquals(seen.map(({ body }) => body), [text, text, text]);
  });

  Deno.test(`createFetch() sends a Request with ${name} again whole`, async () => {
    const request = new Request(url, { method: "PUT", body: body() });
    const { seen, response } = await run([503], request);
    assertEquals(seen.map(({ body }) => body), [text, text, text, text]);
    assertEquals(response.status, 503);
    // Bun does not mark a Request whose body was taken.
    assert(request.bodyUsed || "Bun" in globalThis);
  });
}

Deno.test("createFetch() sends FormData again whole", async () => {
  const body = new FormData();
  body.append("field", "value");
  const { seen } = await run([503, 200], { method: "PUT", body });
  assertEquals(seen.length, 2);
  assert(seen.every(({ body }) => body.includes("value")));
});

Deno.test("createFetch() sends a stream once, and hands its failure over", async () => {
  const body = () =>
    ReadableStream.from(["stream"]).pipeThrough(new TextEncoderStream());
  const init = () =>
    ({ method: "PUT", body: body(), duplex: "half" }) as RequestInit;
  const { seen, response } = await run([429, 200], init());
  assertEquals(seen.map(({ body }) => body), ["stream"]);
  assertEquals(response.status, 429);
  const error = networkError();
  assertStrictEquals((await run([error], init())).outcome.value, error);
});

Deno.test("createFetch() rejects the caller's mistakes at once, and never sends them", async () => {
  const { seen, inner } = scripted([200]);
  const fetch = createFetch({ fetch: inner });
  const used = new Request(url, { method: "POST", body: "once" });
  await used.text();
  const mistakes: [RequestInfo, RequestInit?][] = [
    ["http://"],
    [url, { headers: { "bad name": "1" } }],
    [url, { method: "bad method" }],
    [url, { method: "GET", body: "x" }],
    [used],
  ];
  for (const mistake of mistakes) {
    try {
      new Request(...mistake);
    } catch {
      await assertRejects(() => fetch(...mistake), TypeError);
      continue;
    }
    // Bun's Request lets some of them pass.
    assert("Bun" in globalThis);
  }
  assertEquals(seen, []);
});

Deno.test("createFetch() hands the caller's signal to fetch, which reaches the body", async () => {
  const controller = new AbortController();
  const { seen, inner } = scripted([200]);
  await createFetch({ fetch: inner })(url, { signal: controller.signal });
  assertStrictEquals(seen[0]!.signal, controller.signal);
  await createFetch({ fetch: inner, signal: controller.signal })(url);
  assertStrictEquals(seen[1]!.signal, controller.signal);
  await createFetch({ fetch: inner, signal: controller.signal })(url, {
    signal: null,
  });
  assertStrictEquals(seen[2]!.signal, controller.signal);
  await createFetch({ fetch: inner })(url);
  assertEquals(seen[3]!.signal, null);
});

Deno.test("createFetch() goes on reaching the body with both signals, where there are timeouts", () =>
  onFakeTime(async (time) => {
    for (const which of [0, 1]) {
      const controllers = [
        new AbortController(),
        new AbortController(),
      ] as const;
      const { seen, inner } = scripted([503, 200]);
      const fetch = createFetch({
        fetch: inner,
        config: EXACT,
        attemptTimeout: 2,
        totalTimeout: 5,
        signal: controllers[0].signal,
      });
      const outcome = watch(fetch(url, { signal: controllers[1].signal }));
      await finish(time);
      await pass(time, 10);
      const response = outcome.value as Response;
      assertEquals(response.status, 200);
      const [first, second] = seen.map(({ signal }) => signal!);
      assertEquals([first!.aborted, second!.aborted], [false, false]);
      controllers[which]!.abort("reason");
      assertEquals([first!.aborted, second!.reason], [false, "reason"]);
    }
  }));

Deno.test("createFetch() rejects with the reason in mid-request and in mid-sleep", () =>
  onFakeTime(async (time) => {
    for (const step of [503, () => new Promise(() => {})]) {
      const controller = new AbortController();
      const listeners = countListeners(controller.signal);
      const { inner } = scripted([step]);
      const fetch = createFetch({
        fetch: inner,
        attemptTimeout: 9,
        signal: new AbortController().signal,
      });
      const outcome = watch(fetch(url, { signal: controller.signal }));
      await pass(time, 0.5);
      controller.abort("reason");
      await time.runMicrotasks();
      assertEquals(outcome, { state: "rejected", value: "reason" });
      assertEquals(listeners.added, listeners.removed);
    }
  }));

Deno.test("createFetch() sends nothing with a signal that has aborted", async () => {
  const aborted = AbortSignal.abort("reason");
  const { signal } = new AbortController();
  for (
    const [own, option] of [[aborted, signal], [signal, aborted], [
      aborted,
      undefined,
    ]] as const
  ) {
    const { seen, inner } = scripted([200]);
    const fetch = createFetch({
      fetch: inner,
      attemptTimeout: 9,
      signal: option,
    });
    const outcome = watch(fetch(url, { signal: own }));
    await new Promise((turn) => setTimeout(turn, 0));
    assertEquals([outcome.value, seen], ["reason", []]);
  }
});

Deno.test("createFetch() ends an attempt at attemptTimeout, and tells fetch", async () => {
  const { seen, starts, response } = await run(
    [
      () => new Promise(() => {}),
      200,
    ],
    {},
    { attemptTimeout: 2 },
  );
  assertEquals([starts, response.status], [[0, 3], 200]);
  assertEquals(seen[0]!.signal!.reason.name, "TimeoutError");
});

Deno.test("createFetch() leaves no listener behind where there is no body to reach", () =>
  onFakeTime(async (time) => {
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const inner = () => Promise.resolve(new Response(null, { status: 204 }));
    const fetch = createFetch({
      fetch: inner as typeof globalThis.fetch,
      attemptTimeout: 9,
    });
    await fetch(url, { signal });
    await time.runMicrotasks();
    assert(listeners.added > 0);
    assertEquals(listeners.added, listeners.removed);
    assertEquals(time.next(), false);
  }));

Deno.test("createFetch() has one limiter for all, or one for each origin", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 1 });
    const { seen, inner } = scripted([200]);
    const shared = createFetch({ fetch: inner, limiter });
    watch(
      Promise.all([shared("https://a.example"), shared("https://b.example")]),
    );
    await finish(time);
    assertEquals(seen.splice(0).map(({ at }) => at), [0, 1]);

    const start = Date.now();
    let refused = 0;
    const inner2 = (input: RequestInfo | URL) => {
      const limited = String(input).includes("a.example") &&
        Date.now() === start;
      if (limited) refused++;
      return Promise.resolve(
        limited
          ? new Response(null, { status: 429, headers: { "retry-after": "5" } })
          : new Response(String(Date.now() - start)),
      );
    };
    const fetch = createFetch({
      fetch: inner2 as typeof globalThis.fetch,
      limiter: "per-origin",
    });
    const outcomes = [
      "https://a.example/1",
      "https://b.example/",
      "https://a.example/2",
    ].map((url) => watch(fetch(url).then((response) => response.text())));
    await finish(time);
    assertEquals(refused, 1);
    assertEquals(outcomes[1]!.value, "0");
    assert(Number(outcomes[0]!.value) >= 5000);
    assert(Number(outcomes[2]!.value) >= 5000);
  }));

Deno.test("createFetch() refuses bad options", () => {
  const bad: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      { retryAfterHeader: "1" },
      TypeError,
      "'options' has no field 'retryAfterHeader'",
    ],
    [{ retries: 1 }, TypeError, "'options' has no field 'retries'"],
    [{ maxRetries: 1 }, TypeError, "did you mean config.maxRetries?"],
    [{ fetch: "fetch" }, TypeError, "'fetch' must be a function"],
    [{ methods: "GET" }, TypeError, "'methods' must be an array of strings"],
    [{ methods: ["GET", 1] }, TypeError, "'methods'"],
    [{ limiter: "per-host" }, TypeError, "'limiter' must be a RateLimiter"],
    [{ attemptTimeout: 0 }, RangeError, "'attemptTimeout'"],
    [{ config: { maxRetries: -1 } }, RangeError, "'maxRetries'"],
  ];
  for (const [options, type, message] of bad) {
    assertThrows(() => createFetch(options as FetchOptions), type, message);
  }
});

Deno.test("createFetch() takes undefined and null as absent", async () => {
  const options: FetchOptions = {
    fetch: undefined,
    methods: null,
    limiter: null,
    config: null,
    signal: undefined,
  };
  const response = await createFetch(options)("data:,hello");
  assertEquals(await response.text(), "hello");
  assertEquals(await (await createFetch(null)("data:,hello")).text(), "hello");
});

Deno.test("createFetch() counts attempts and delays as retryWithBackoff does", async () => {
  const delays: number[] = [];
  const config = new RetryConfig({
    maxRetries: 2,
    baseDelay: 3,
    jitter: false,
  });
  await run([429], {}, {
    config,
    onRetry: ({ delay }) => void delays.push(delay),
  });
  assertEquals(delays, [3, 6]);
});

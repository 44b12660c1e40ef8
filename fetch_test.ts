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
import { DEFAULT_RETRY, RetryConfig } from "./retry.ts";
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

// Which statuses.

Deno.test("createFetch() retries more statuses than DEFAULT_RETRY, where the config names none", async () => {
  const wide = [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524];
  for (const status of [...wide, 529]) {
    for (
      const config of [EXACT, new RetryConfig(EXACT), {
        ...DEFAULT_RETRY,
        ...EXACT,
      }]
    ) {
      assertEquals((await run([status, 200], {}, { config })).starts, [0, 1]);
    }
  }
  for (const status of [400, 401, 403, 404, 409, 501, 505, 525, 530]) {
    assertEquals((await run([status, 200])).starts, [0], `${status}`);
  }
});

Deno.test("createFetch() takes the statuses that the config names", async () => {
  const retryableStatusCodes = [418, 503];
  for (
    const config of [
      { ...EXACT, retryableStatusCodes },
      new RetryConfig({ ...EXACT, retryableStatusCodes }),
    ]
  ) {
    assertEquals((await run([418, 503, 500], {}, { config })).starts, [
      0,
      1,
      3,
    ]);
  }
});

// What was never sent.

Deno.test("createFetch() sends a POST again that was never sent", async () => {
  const { seen, response } = await run([
    networkError("ECONNREFUSED"),
    networkError("ENOTFOUND"),
    networkError("UND_ERR_CONNECT_TIMEOUT"),
    200,
  ], { method: "POST", body: "x" });
  assertEquals(seen.map(({ at, body }) => [at, body]), [
    [0, "x"],
    [1, "x"],
    [3, "x"],
    [7, "x"],
  ]);
  assertEquals(response.status, 200);
});

// What the wrapped fetch takes.

/** What a wrapped `fetch` was called with. */
type Call = [input: unknown, init: RequestInit | undefined];

/** A `fetch` of some package, which writes down what it is called with. */
function foreign(script: readonly (number | Error)[]) {
  const calls: Call[] = [];
  const fetch = (input: unknown, init?: RequestInit) => {
    const step = script[Math.min(calls.length, script.length - 1)]!;
    calls.push([input, init]);
    if (step instanceof Error) return Promise.reject(step);
    return Promise.resolve(new Response("body", { status: step }));
  };
  return { calls, fetch };
}

/** Fetches once, of what no type allows, on a fake clock. */
async function take(
  script: readonly (number | Error)[],
  input: unknown,
  init?: unknown,
  options: FetchOptions = {},
) {
  const { calls, fetch } = foreign(script);
  const retrying = createFetch({ config: EXACT, ...options, fetch });
  let outcome = watch(Promise.resolve());
  await onFakeTime(async (time) => {
    outcome = watch(retrying(input as string, init as RequestInit));
    await finish(time);
  });
  return { calls, outcome, response: outcome.value as Response };
}

Deno.test("createFetch() hands over what it is given as it is, where there is nothing to add", async () => {
  const input = new URL(url);
  const init = Object.freeze({ method: "PUT", body: "x", agent: {} });
  const { calls } = await take([503, 200], input, init);
  assertEquals(calls.length, 2);
  for (const [given, options] of calls) {
    assertStrictEquals(given, input);
    assertStrictEquals(options, init);
  }
  assertEquals((await take([200], url)).calls, [[url, undefined]]);
});

Deno.test("createFetch() keeps what is not of the standard, where a signal is added", async () => {
  const agent = {};
  const { calls } = await take([503, 200], url, { agent, method: "PUT" }, {
    attemptTimeout: 5,
  });
  for (const [, init] of calls) {
    const { signal, ...rest } = init!;
    assert(signal instanceof AbortSignal);
    assertEquals(rest, { agent, method: "PUT" } as RequestInit);
  }
});

Deno.test("createFetch() takes a Request in place of an init, also where a signal is added", async () => {
  const init = new Request(url, {
    method: "DELETE",
    headers: { "x-is": "kept" },
    redirect: "manual",
  });
  const { calls } = await take([200], url, init, { attemptTimeout: 5 });
  const [, given] = calls[0]!;
  assertEquals(given!.method, "DELETE");
  assertEquals(given!.redirect, "manual");
  assertEquals(new Headers(given!.headers).get("x-is"), "kept");
});

Deno.test("createFetch() takes relative addresses, which the wrapped fetch knows the base of", async () => {
  for (const address of ["/items", "items?page=2", "", "//a.example/"]) {
    const error = new TypeError("words of a runtime to come");
    const { calls, response } = await take([503, error, 200], address);
    assertEquals(calls.map(([input]) => input), [address, address, address]);
    assertEquals(response.status, 200);
  }
});

Deno.test("createFetch() rejects at once where the wrapped fetch cannot take an address", async () => {
  const unparsable = new TypeError("Failed to parse URL from /items", {
    cause: Object.assign(new TypeError("Invalid URL"), {
      code: "ERR_INVALID_URL",
    }),
  });
  const { calls, outcome } = await take([unparsable], "/items");
  assertEquals(calls.length, 1);
  assertStrictEquals(outcome.value, unparsable);
});

Deno.test("createFetch() lets the wrapped fetch take what the runtime's would not", async () => {
  // Elasticsearch has GETs with a body.
  const init = { method: "GET", body: "{}" };
  assertEquals((await take([503, 200], url, init)).response.status, 200);
  // But where it refuses, that is the caller's mistake.
  const refusal = new TypeError("no body with GET");
  const { calls } = await take([refusal], url, init);
  // Bun's Request lets it pass.
  assert(calls.length === 1 || "Bun" in globalThis);
});

/** A `Request` as a package has it: no relation of the runtime's. */
class ForeignRequest {
  static clones = 0;
  readonly url = url;
  readonly headers = new Map([["x-is", "foreign"]]);
  readonly signal = undefined;
  readonly method: string;
  readonly body: unknown;

  constructor(method: string, body: unknown = null) {
    this.method = method;
    this.body = body;
  }

  clone(): ForeignRequest {
    ForeignRequest.clones++;
    return new ForeignRequest(this.method, this.body);
  }
}

Deno.test("createFetch() hands a Request of another package over as it is", async () => {
  const request = new ForeignRequest("GET");
  const { calls, response } = await take([503, 503, 200], request);
  assertEquals(calls.map(([input]) => input), [request, request, request]);
  assertEquals(response.status, 200);
  // Its method counts.
  const post = await take([503, 200], new ForeignRequest("POST"));
  assertEquals([post.calls.length, post.response.status], [1, 503]);
  // So does the init's.
  const put = await take([503, 200], new ForeignRequest("POST"), {
    method: "PUT",
  });
  assertEquals(put.calls.length, 2);
});

Deno.test("createFetch() clones a Request of another package that has a body", async () => {
  ForeignRequest.clones = 0;
  const request = new ForeignRequest("PUT", new Uint8Array(2));
  const { calls } = await take([503, 200], request);
  assertEquals([calls.length, ForeignRequest.clones], [2, 2]);
  assert(calls.every(([input]) => input instanceof ForeignRequest));
  // A body beside it is what is sent.
  await take([503, 200], request, { body: "another" });
  assertEquals(ForeignRequest.clones, 2);
});

Deno.test("createFetch() reads the Idempotency-Key of another package's Request", async () => {
  class Keyed extends ForeignRequest {
    override readonly headers = new Map([["Idempotency-Key", "1"]]);
  }
  assertEquals((await take([503, 200], new Keyed("POST"))).calls.length, 2);
});

/** A stream of Node's, or of a package that has streams like it. */
function nodeStream() {
  const stream = {
    destroyed: false,
    on() {},
    once() {},
    read() {},
    pipe() {},
    destroy() {
      stream.destroyed = true;
    },
  };
  return stream;
}

/** A web stream without end that tells when it is cancelled. */
function webStream() {
  const stream = {
    cancelled: false,
    body: new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(1));
      },
      cancel() {
        stream.cancelled = true;
      },
    }, { highWaterMark: 0 }),
  };
  return stream;
}

Deno.test("createFetch() sends what cannot be sent again once, whatever is answered", async () => {
  // deno-lint-ignore require-yield
  const generator = async function* () {
    return;
  };
  const formData = { pipe() {}, on() {}, getBoundary: () => "x" }; // npm's
  for (const error of [429, 503, networkError("ECONNREFUSED")]) {
    for (
      const body of [
        webStream().body,
        nodeStream(),
        generator(),
        formData,
      ]
    ) {
      for (const limiter of [undefined, new RateLimiter()]) {
        const { calls } = await take([error, 200], url, {
          method: "PUT",
          body,
        }, { limiter });
        assertEquals(calls.length, 1);
        assertStrictEquals(calls[0]![1]!.body as unknown, body);
      }
    }
    // As node-fetch has it.
    const request = new ForeignRequest("PUT", nodeStream());
    assertEquals((await take([error, 200], request)).calls.length, 1);
  }
});

Deno.test("createFetch() sends again what a package calls FormData", async () => {
  const body = new Map([["field", "value"]]); // undici's is iterable as well
  assertEquals(
    (await take([503, 200], url, { method: "PUT", body })).calls.length,
    2,
  );
});

Deno.test("createFetch() gives a stream up that nobody reads any more", async () => {
  const error = new Error("other");
  const web = webStream();
  await take([error], url, { method: "POST", body: web.body, duplex: "half" });
  assert(web.cancelled);

  const node = nodeStream();
  await take([error], url, { method: "POST", body: node });
  assert(node.destroyed);

  let returned = false;
  const generator = {
    [Symbol.asyncIterator]: () => generator,
    next: () => Promise.resolve({ done: true, value: undefined }),
    return: () => {
      returned = true;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  await take([error], url, { method: "POST", body: generator });
  assert(returned);

  const inRequest = webStream();
  const init = { method: "POST", body: inRequest.body, duplex: "half" };
  await take([error], new Request(url, init as RequestInit));
  assert(inRequest.cancelled);
});

Deno.test("createFetch() gives a stream up that was never sent", async () => {
  const limiter = () => {
    throw new Error("no limiter");
  };
  for (
    const options of [{ signal: AbortSignal.abort("reason") }, { limiter }]
  ) {
    const stream = webStream();
    const init = { method: "POST", body: stream.body };
    const { calls } = await take([200], url, init, options);
    assertEquals([calls, stream.cancelled], [[], true]);
  }
});

Deno.test("createFetch() leaves a stream alone that is read, or was answered", async () => {
  const locked = webStream();
  locked.body.getReader();
  const init = { method: "POST", body: locked.body };
  await take([new Error("other")], url, init);
  assertEquals(locked.cancelled, false);
  for (const status of [200, 429]) {
    const node = nodeStream();
    await take([status], url, { method: "POST", body: node });
    assertEquals(node.destroyed, false);
  }
});

Deno.test("createFetch() keeps no copy of a Request's body that is not needed any more", async () => {
  const request = new Request(url, { method: "PUT", body: "text" });
  const { calls } = await take([200], request);
  await (calls[0]![0] as Request).text();
  // Bun does not mark a Request whose body was taken.
  assert(request.bodyUsed || "Bun" in globalThis);
});

/** A signal as `abortcontroller-polyfill` makes it: functions only, no reason. */
class ForeignSignal {
  aborted = false;
  listeners: (() => void)[] = [];

  addEventListener(_: "abort", listener: () => void): void {
    this.listeners.push(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.listeners = this.listeners.filter((one) => one !== listener);
  }

  abort(): void {
    this.aborted = true;
    for (const listener of this.listeners) listener();
  }
}

Deno.test("createFetch() takes a signal that is not the runtime's, as it is", async () => {
  const signal = new ForeignSignal();
  const { calls } = await take([503, 200], url, { signal });
  assertStrictEquals(calls[1]![1]!.signal as unknown, signal);
  assertEquals(signal.listeners, []);
});

Deno.test("createFetch() heeds a signal that is not the runtime's, at any time", () =>
  onFakeTime(async (time) => {
    for (const options of [{}, { attemptTimeout: 5 }]) {
      for (const inner of [() => new Promise<Response>(() => {}), () => 503]) {
        const signal = new ForeignSignal();
        const outcome = watch(
          createFetch({
            ...options,
            fetch: async () => {
              const answer = await inner();
              return new Response(null, { status: answer as number });
            },
          })(url, { signal: signal as unknown as AbortSignal }),
        );
        await pass(time, 0.5);
        signal.abort();
        await time.runMicrotasks();
        assertEquals(outcome.state, "rejected");
        assertEquals((outcome.value as Error).name, "AbortError");
        assertEquals(signal.listeners, []);
      }
    }
    const aborted = new ForeignSignal();
    aborted.abort();
    const { calls, outcome } = await takeNow([200], { signal: aborted });
    assertEquals([calls, (outcome.value as Error).name], [[], "AbortError"]);
  }));

/** As `take`, on the clock that runs. */
async function takeNow(script: readonly number[], init: unknown) {
  const { calls, fetch } = foreign(script);
  const outcome = watch(createFetch({ fetch })(url, init as RequestInit));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  return { calls, outcome };
}

Deno.test("createFetch() leaves it to the wrapped fetch to refuse a signal", async () => {
  const refusal = new TypeError("signal is not an AbortSignal");
  for (const signal of ["signal", {}, 1]) {
    const { calls, outcome } = await take([refusal], url, { signal }, {
      attemptTimeout: 5,
    });
    assertEquals(calls.length, 1);
    assertStrictEquals(calls[0]![1]!.signal as unknown, signal);
    assertStrictEquals(outcome.value, refusal);
  }
  const foreign = { signal: new ForeignSignal() };
  assertEquals((await take([refusal], url, foreign)).calls.length, 1);
});

// Limiters.

Deno.test("createFetch() asks a function for the limiter of each request", () =>
  onFakeTime(async (time) => {
    const slow = new RateLimiter({ rate: 1 });
    const asked: unknown[] = [];
    const { seen, inner } = scripted([200]);
    const fetch = createFetch({
      fetch: inner,
      limiter: ({ method, url, headers }) => {
        asked.push([method, url, headers.get("x-is")]);
        return url.endsWith("/slow") ? slow : undefined;
      },
    });
    watch(Promise.all([
      fetch("https://a.example/slow"),
      fetch("https://a.example/fast", {
        method: "post",
        headers: { "x-is": "told" },
      }),
      fetch(new Request("https://a.example/slow", { method: "PUT" })),
      fetch("https://a.example/fast"),
    ]));
    await finish(time);
    assertEquals(seen.map(({ at }) => at), [0, 0, 0, 1]);
    assertEquals(asked, [
      ["GET", "https://a.example/slow", null],
      ["POST", "https://a.example/fast", "told"],
      ["PUT", "https://a.example/slow", null],
      ["GET", "https://a.example/fast", null],
    ]);
  }));

Deno.test("createFetch() rejects where the limiter's function throws, or gives no limiter", async () => {
  const limiter = () => {
    throw "undecided";
  };
  assertEquals((await run([200], {}, { limiter })).outcome.value, "undecided");
  for (const wrong of [1, "per-origin", {}]) {
    const { seen, outcome } = await run([200], {}, {
      limiter: () => wrong as unknown as RateLimiter,
    });
    assertEquals(seen, []);
    assert(outcome.value instanceof TypeError);
  }
  const none = await run([200], {}, { limiter: () => null });
  assertEquals(none.response.status, 200);
});

Deno.test("createFetch() has one limiter for all relative addresses, per origin", async () => {
  const { calls } = await take([200], "/items", {}, { limiter: "per-origin" });
  assertEquals(calls.length, 1);
});

Deno.test("createFetch() sends a Request's body again whole as often as its limiter was refused", () =>
  onFakeTime(async (time) => {
    const { seen, inner } = scripted([429, 429, 429, 200]);
    const fetch = createFetch({
      fetch: inner,
      config: { ...EXACT, maxRetries: 1 },
      limiter: new RateLimiter(),
    });
    const request = new Request(url, { method: "POST", body: "whole" });
    const outcome = watch(fetch(request));
    await finish(time);
    assertEquals(seen.map(({ body }) => body), Array(4).fill("whole"));
    assertEquals((outcome.value as Response).status, 200);
  }));

Deno.test("createFetch() tells onGiveUp why it hands a refusal over", async () => {
  const reasons: string[] = [];
  const { response } = await run([503], {}, {
    onGiveUp: ({ reason, attempts }) => reasons.push(`${reason} ${attempts}`),
  });
  assertEquals([response.status, reasons], [503, ["max-retries 4"]]);
});

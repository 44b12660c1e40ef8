import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { FetchCall, type FetchLike, type Init, type Input } from "./call.ts";

const url = "https://api.example.com/items";

/** A call of what no type allows. */
function call(input: unknown, init?: unknown): FetchCall {
  return new FetchCall(input as Input, init as Init);
}

Deno.test("FetchCall.method is the init's, the Request's, or GET, in upper case", () => {
  const put = new Request(url, { method: "PUT" });
  const methods: [unknown, unknown, string][] = [
    [url, undefined, "GET"],
    [url, {}, "GET"],
    [url, null, "GET"],
    [url, { method: undefined }, "GET"],
    [url, { method: "patch" }, "PATCH"],
    [put, undefined, "PUT"],
    [put, { method: undefined }, "PUT"],
    [put, { method: "post" }, "POST"],
    [{ url }, undefined, "GET"],
  ];
  for (const [input, init, method] of methods) {
    assertEquals(call(input, init).method, method);
  }
});

Deno.test("FetchCall.url is absolute, where that can be known", () => {
  assertEquals(call(url).url, url);
  assertEquals(call(new URL(url)).url, url);
  assertEquals(call(new Request(url)).url, url);
  assertEquals(call({ toString: () => url }).url, url);
  assertEquals(call("https://a.example").url, "https://a.example/");
  assertEquals(call("/items").url, "/items");
  assertEquals(call("http://").url, "http://");
  const own = Object.getOwnPropertyDescriptor(globalThis, "location");
  Object.defineProperty(globalThis, "location", {
    configurable: true,
    value: { href: "https://page.example/a/b" },
  });
  try {
    assertEquals(call("/items").url, "https://page.example/items");
    assertEquals(call("items").url, "https://page.example/a/items");
    assertEquals(call(url).url, url);
  } finally {
    if (own) Object.defineProperty(globalThis, "location", own);
    else delete (globalThis as { location?: unknown }).location;
  }
});

Deno.test("FetchCall.headers are the init's, or the Request's", () => {
  const request = new Request(url, { headers: { a: "1" } });
  const all = (input: unknown, init?: unknown) =>
    Object.fromEntries(call(input, init).headers);
  assertEquals(all(request), { a: "1" });
  assertEquals(all(request, { headers: { b: "2" } }), { b: "2" });
  assertEquals(all(url, { headers: new Map([["B", "2"]]) }), { b: "2" });
  assertEquals(all(url), {});
});

Deno.test("FetchCall.signal is the init's, which may be null, or the Request's", () => {
  const { signal } = new AbortController();
  const request = { url, signal };
  assertStrictEquals(call(url, { signal }).signal, signal);
  assertStrictEquals(call(request).signal, signal);
  assertStrictEquals(call(request, { signal: undefined }).signal, signal);
  assertStrictEquals(call(request, { signal: null }).signal, null);
  assertStrictEquals(call(url).signal, undefined);
});

Deno.test("FetchCall.repeats unless its body is read by sending it", () => {
  const pipe = () => {};
  const stream = new ReadableStream();
  const bodies: [unknown, boolean][] = [
    [undefined, true],
    [null, true],
    ["", true],
    ["text", true],
    [new Blob(["blob"]), true],
    [new FormData(), true],
    [new URLSearchParams(), true],
    [new Uint8Array(1), true],
    [new Map(), true],
    [stream, false],
    [{ getReader() {} }, false], // of another realm, or a polyfill
    [{ pipe }, false],
    [{ async *[Symbol.asyncIterator]() {} }, false],
  ];
  for (const [body, repeats] of bodies) {
    assertEquals(call(url, { body }).repeats, repeats);
    assertEquals(
      call({ url, body: { pipe } }, { body }).repeats,
      body === undefined || body === null ? false : repeats,
    );
  }
  assert(call({ url, body: stream }).repeats);
  assert(call({ url, body: null }).repeats);
  assert(!call({ url, body: { pipe } }).repeats);
});

Deno.test("FetchCall.isValid unless the runtime's fetch would refuse it", async () => {
  const used = new Request(url, { method: "POST", body: "once" });
  await used.text();
  const calls: [unknown, unknown, boolean][] = [
    [url, undefined, true],
    [url, {}, true],
    ["http://a.example/", undefined, true],
    ["/items", undefined, true],
    [url, { body: null }, true],
    [url, { method: "POST", body: "x" }, true],
    [url, { method: "POST", body: { pipe() {} } }, true],
    [url, { signal: new AbortController().signal }, true],
    [url, { signal: null }, true],
    [new Request(url), undefined, true],
    [new Request(url), { method: "PUT" }, true],
    [{ url, signal: null }, undefined, true],
    ["http://", undefined, false],
    ["data:,x", undefined, false],
    ["xhttp://a.example/", undefined, false],
    ["httpx://a.example/", undefined, false],
    ["file:///x", undefined, false],
    [url, { headers: { "bad name": "1" } }, false],
    [url, { method: "bad method" }, false],
    [url, { signal: "signal" }, false],
    [url, { signal: {} }, false],
    [{ url, signal: { aborted: false } }, undefined, false],
    [used, undefined, false],
  ];
  for (const [input, init, isValid] of calls) {
    // Bun's Request lets some of them pass.
    const passes = "Bun" in globalThis && !isValid;
    assert(passes || call(input, init).isValid === isValid, String(input));
  }
  const get = call(url, { body: "x" });
  assert(!get.isValid || "Bun" in globalThis);
});

/** What `send` gives to `fetch`. */
async function sent(
  input: unknown,
  init?: unknown,
  signal?: AbortSignal,
  again = false,
): Promise<unknown[]> {
  let given: unknown[] = [];
  const fetch: FetchLike = (...args: unknown[]) => {
    given = args;
    return Promise.resolve(new Response());
  };
  await call(input, init).send(fetch, signal, again);
  return given;
}

Deno.test("FetchCall.send() gives what it was given, and no second argument where there was none", async () => {
  const init = { method: "PUT" };
  assertEquals(await sent(url), [url]);
  assertEquals(await sent(url, null), [url]);
  const given = await sent(url, init);
  assertStrictEquals(given[1], init);
});

Deno.test("FetchCall.send() adds a signal, but where it is its own, or what it has is none", async () => {
  const { signal } = new AbortController();
  const own = { signal };
  assertStrictEquals((await sent(url, own, signal))[1], own);
  const request = { url, signal };
  assertEquals(await sent(request, undefined, signal), [request]);
  assertEquals(await sent(url, undefined, signal), [url, { signal }]);
  const other = new AbortController().signal;
  const [, added] = await sent(url, { ...own, x: 1 }, other);
  assertEquals(added, { x: 1, signal: other });
  assertStrictEquals((added as RequestInit).signal, other);
  assertStrictEquals(own.signal, signal);
  const none = { signal: "none" };
  assertStrictEquals((await sent(url, none, signal))[1], none);
});

Deno.test("FetchCall.send() reads an init that is no plain object, member by member", async () => {
  const { signal } = new AbortController();
  const headers = { a: "1" };
  class Options {
    own = 1;
    get method() {
      return "PUT";
    }
    get headers() {
      return headers;
    }
    get cache() {
      return undefined;
    }
  }
  assertEquals((await sent(url, new Options(), signal))[1], {
    own: 1,
    method: "PUT",
    headers,
    signal,
  });
  const bare = Object.assign(Object.create(null), { method: "PUT" });
  assertEquals((await sent(url, bare, signal))[1], { method: "PUT", signal });
  // Of a plain object, only what is its own, as `{ ...init }` has it.
  const inherits = { toString: undefined, ...headers };
  assertEquals((await sent(url, inherits, signal))[1], {
    ...inherits,
    signal,
  });
});

Deno.test("FetchCall.send() clones a Request for another time, if its own body is sent", async () => {
  const copy = { url };
  const request = { url, body: "x", clone: () => copy };
  const again = (input: unknown, init?: unknown) =>
    sent(input, init, undefined, true);
  assertStrictEquals((await sent(request))[0], request);
  assertStrictEquals((await again(request))[0], copy);
  assertStrictEquals((await again(request, { body: null }))[0], copy);
  assertStrictEquals((await again(request, { body: "y" }))[0], request);
  assertStrictEquals((await again(request, { body: "" }))[0], request);
  const empty = { ...request, body: null };
  assertStrictEquals((await again(empty))[0], empty);
  // Where the runtime does not tell, there may be one.
  const untold = { ...request, body: undefined };
  assertStrictEquals((await again(untold))[0], copy);
  assertStrictEquals((await again(url))[0], url);
});

/** A web stream that tells when it is cancelled. */
function stream() {
  const seen = { cancelled: false, body: new ReadableStream() };
  seen.body = new ReadableStream({
    cancel() {
      seen.cancelled = true;
    },
  });
  return seen;
}

Deno.test("FetchCall.send() gives up the copy of a Request that was not sent", async () => {
  const copy = stream();
  const original = stream();
  const request = { url, body: original.body, clone: () => ({ ...copy, url }) };
  const sending = call(request);
  const fetch = () => Promise.reject(new Error("not sent"));
  await assertRejects(() => sending.send(fetch, undefined, true), Error);
  assertEquals([copy.cancelled, original.cancelled], [true, false]);
  await assertRejects(() => sending.send(fetch, undefined, false), Error);
  assertEquals(original.cancelled, false);
});

Deno.test("FetchCall.end() gives up what was not sent", async () => {
  const fetch: FetchLike = () => Promise.resolve(new Response());
  for (
    const [failed, again, given] of [
      [true, false, true],
      [true, true, true],
      [false, true, true],
      // The original went, and may still be going.
      [false, false, false],
    ] as const
  ) {
    const original = stream();
    const request = { url, body: original.body, clone: () => ({ url }) };
    const sending = call(request);
    await sending.send(fetch, undefined, again);
    sending.end(failed);
    assertEquals(original.cancelled, given, `${failed} ${again}`);
  }
  const own = stream();
  call(url, { body: own.body }).end(false);
  assertEquals(own.cancelled, false);
  call(url, { body: own.body }).end(true);
  assertEquals(own.cancelled, true);
});

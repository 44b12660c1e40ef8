import { assert, assertEquals } from "@std/assert";
import { discardBody } from "./body.ts";
import { HttpError } from "../http_error.ts";

/** A web stream that counts how often it is cancelled. */
function webStream(onCancel: () => void = () => {}) {
  const counted = { cancelled: 0, stream: new ReadableStream() };
  counted.stream = new ReadableStream({
    cancel() {
      counted.cancelled++;
      onCancel();
    },
  });
  return counted;
}

/** What of Node's `Readable` is needed, by its own rules. */
function nodeStream() {
  const listeners: Record<string, (argument: unknown) => void> = {};
  const stream = {
    destroyed: false,
    listeners,
    read: () => null,
    on: (event: string, listener: (argument: unknown) => void) => {
      listeners[event] = listener;
    },
    once: (event: string, listener: (argument: unknown) => void) => {
      listeners[event] = listener;
    },
    destroy: () => {
      stream.destroyed = true;
    },
  };
  return stream;
}

Deno.test("discardBody() cancels the body of a Response", () => {
  const body = webStream();
  discardBody(new Response(body.stream));
  assertEquals(body.cancelled, 1);
  discardBody(new Response(null, { status: 204 }));
});

Deno.test("discardBody() cancels what the response of an error has not read", () => {
  const holders: ((stream: ReadableStream) => unknown)[] = [
    (body) => new HttpError(new Response(body, { status: 429 })),
    (body) => ({ response: new Response(body, { status: 429 }) }),
    (data) => ({ response: { status: 429, data } }),
    (body) => ({ $response: { statusCode: 429, body } }),
    (body) => ({ statusCode: 429, body }),
    (data) => new Error("x", { cause: { response: { status: 429, data } } }),
    (body) => new AggregateError([new HttpError(new Response(body))]),
  ];
  for (const hold of holders) {
    const body = webStream();
    discardBody(hold(body.stream));
    assertEquals(body.cancelled, 1, String(hold));
  }
});

Deno.test("discardBody() leaves a body to whoever reads it", async () => {
  const body = webStream();
  const response = new Response(body.stream);
  const reader = response.body!.getReader();
  discardBody(response);
  assertEquals(body.cancelled, 0);
  await reader.cancel();
});

Deno.test("discardBody() does not mind a body that has broken by itself", async () => {
  const failing = new ReadableStream({
    start: (controller) => controller.error(new Error("cut")),
  });
  discardBody(new Response(failing));
  const refusing = webStream(() => {
    throw new Error("no");
  });
  discardBody(new Response(refusing.stream));
  assertEquals(refusing.cancelled, 1);
  await new Promise((resolve) => setTimeout(resolve)); // unhandled rejections
});

Deno.test("discardBody() destroys Node's streams, and hears their errors", () => {
  const [first, second, itself] = [nodeStream(), nodeStream(), nodeStream()];
  discardBody({ status: 429, body: first });
  discardBody({ response: { status: 429, data: second } });
  discardBody({ response: Object.assign(itself, { statusCode: 429 }) });
  for (const stream of [first, second, itself]) {
    assert(stream.destroyed);
    stream.listeners.error!(new Error("aborted"));
  }
});

Deno.test("discardBody() destroys what was piped into the stream as well", () => {
  const [body, unzipped, source] = [nodeStream(), nodeStream(), nodeStream()];
  discardBody({ status: 429, body });
  body.listeners.unpipe!(unzipped);
  unzipped.listeners.unpipe!(source);
  assert(unzipped.destroyed && source.destroyed);
});

Deno.test("discardBody() destroys no stream twice", () => {
  const body = Object.assign(nodeStream(), {
    destroyed: true,
    destroy: () => {
      throw new Error("twice");
    },
  });
  discardBody({ status: 429, body });
  assertEquals(Object.keys(body.listeners), []);
});

Deno.test("discardBody() destroys no response of a server's own", () => {
  const response = { ...nodeStream(), read: undefined, statusCode: 200 };
  discardBody(response);
  assert(!response.destroyed);
});

Deno.test("discardBody() returns asynchronous iterators", async () => {
  let ended = 0;
  async function* chunks() {
    try {
      yield 1;
      yield 2;
    } finally {
      ended++;
    }
  }
  const begun = chunks();
  await begun.next();
  discardBody({ status: 429, body: begun });
  let returned = 0;
  discardBody({
    status: 429,
    body: {
      [Symbol.asyncIterator]: () => ({
        return: () => (returned++, Promise.reject(new Error("broken"))),
      }),
    },
  });
  discardBody({ status: 429, body: { [Symbol.asyncIterator]: () => ({}) } });
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([ended, returned], [1, 1]);
});

Deno.test("discardBody() cancels streams that are no iterators, as a polyfill's", () => {
  let cancelled = 0;
  const cancel = () => void cancelled++;
  discardBody({ status: 429, body: { getReader: () => {}, cancel } });
  assertEquals(cancelled, 1);
  discardBody({ status: 429, body: { cancel } });
  discardBody({ status: 429, body: { getReader: () => {} } });
  assertEquals(cancelled, 1);
});

Deno.test("discardBody() does not touch what is no response", () => {
  for (const status of [undefined, "429", null, true]) {
    const body = webStream();
    const stream = nodeStream();
    discardBody({ status, body: body.stream });
    discardBody({ cause: { statusCode: status, data: stream } });
    assertEquals([body.cancelled, stream.destroyed], [0, false]);
  }
});

Deno.test("discardBody() looks into the errors of several attempts, not for ever", () => {
  const body = webStream();
  const refused = new HttpError(new Response(body.stream, { status: 503 }));
  discardBody(new AggregateError([1, new AggregateError([refused])]));
  assertEquals(body.cancelled, 1);
});

Deno.test("discardBody() leaves everything else alone", () => {
  const cyclic = new AggregateError([]);
  cyclic.errors.push(cyclic, { cause: cyclic });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = {
    status: 429,
    get body() {
      throw new Error("no body");
    },
    data: { getReader() {}, cancel: () => undefined },
  };
  const others = [
    ...[undefined, null, "body", 7, () => {}, {}, [], cyclic, proxy, hostile],
    { status: 429, body: "text", data: { key: "value" } },
    { status: 429, body: new Uint8Array(3), data: null },
    { status: "429", body: { destroy: () => assert(false) } },
  ];
  for (const other of others) discardBody(other);
});

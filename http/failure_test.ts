import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type FailureKind,
  isRateLimit,
  isRefusal,
  readFailure,
} from "./failure.ts";
import { HttpError } from "../http_error.ts";

function error(fields: object, base: Error = new Error("failed")): Error {
  return Object.assign(base, fields);
}

/** An error whose class has a name, but which itself does not (OpenAI's). */
function ofClass(name: string, fields: object = {}): Error {
  const made = { [name]: class extends Error {} }[name]!;
  return error(fields, new made("failed"));
}

const headers = { "Retry-After": "3" };
const cause = error({ code: "ECONNRESET" });
const wrap = (inner: unknown) => new Error("export failed", { cause: inner });

const STATUS: [string, unknown][] = [
  ["a Response", new Response(null, { status: 429, headers })],
  ["HttpError", new HttpError(new Response(null, { status: 429, headers }))],
  [
    "axios",
    error({
      status: 429,
      response: { status: 429, headers },
      code: "ERR_BAD_REQUEST",
    }),
  ],
  [
    "ky, ofetch",
    error({ response: new Response(null, { status: 429, headers }) }),
  ],
  [
    "got",
    error({
      response: { statusCode: 429, headers },
      code: "ERR_NON_2XX_3XX_RESPONSE",
    }),
  ],
  ["Octokit", error({ status: 429, response: { headers } })],
  ["undici", error({ statusCode: 429, headers, code: "UND_ERR_RESPONSE" })],
  ["OpenAI, Anthropic", error({ status: 429, headers: new Headers(headers) })],
  [
    "the AWS SDK",
    error({ $metadata: { httpStatusCode: 429 }, $response: { headers } }),
  ],
  ["an error wrapped once", wrap(error({ status: 429, headers }))],
  [
    "a Response wrapped in an HttpError wrapped once",
    wrap(new HttpError(new Response(null, { status: 429, headers }))),
  ],
  ["an object that is no Error", { status: 429, headers }],
];

for (const [name, thrown] of STATUS) {
  Deno.test(`readFailure() reads status and headers of ${name}`, () => {
    const failure = readFailure(thrown);
    assertEquals(failure.kind, "status");
    assertEquals(failure.status, 429);
    assertEquals(failure.headers?.get("retry-after"), "3");
    assertStrictEquals(failure.error, thrown);
  });
}

Deno.test("readFailure() gives the Response where it is a web-standard one", () => {
  const response = new Response(null, { status: 503 });
  assertStrictEquals(readFailure(response).response, response);
  assertStrictEquals(readFailure(new HttpError(response)).response, response);
  assertStrictEquals(readFailure(error({ response })).response, response);
  const own = { status: 503, headers: {}, [Symbol.toStringTag]: "Response" };
  assertStrictEquals(readFailure(own).response, own as unknown as Response);
  assertEquals(
    readFailure(error({ response: { status: 503 } })).response,
    undefined,
  );
});

/** Every code of a connection that broke or never was, by who throws it. */
const TRANSIENT = {
  "the operating system":
    "EADDRNOTAVAIL EAI_AGAIN ECONNABORTED ECONNREFUSED ECONNRESET EHOSTDOWN " +
    "EHOSTUNREACH ENETDOWN ENETRESET ENETUNREACH ENOTFOUND EPIPE ETIMEDOUT",
  "request": "ESOCKETTIMEDOUT",
  "axios": "ERR_NETWORK",
  "Node": "ERR_HTTP2_STREAM_ERROR ERR_SOCKET_CONNECTION_TIMEOUT " +
    "ERR_STREAM_PREMATURE_CLOSE",
  "undici": "UND_ERR_BODY_TIMEOUT UND_ERR_CONNECT_TIMEOUT " +
    "UND_ERR_HEADERS_TIMEOUT UND_ERR_SOCKET",
  "Bun": "ConnectionClosed ConnectionRefused ConnectionReset " +
    "FailedToOpenSocket Malformed_HTTP_Response",
};

for (const [who, codes] of Object.entries(TRANSIENT)) {
  Deno.test(`readFailure() knows the codes of ${who}`, () => {
    for (const code of codes.split(" ")) {
      assertEquals(readFailure(error({ code })).kind, "network", code);
      assertEquals(readFailure(error({ code: `x${code}` })).kind, "other");
    }
  });
}

/** What Node says in the cause of a fetch that would fail again. */
const PERMANENT = [
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_INVALID_URL",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
];

Deno.test("readFailure() knows the causes that make a fetch fail for good", () => {
  for (const code of PERMANENT) {
    const failed = new TypeError("fetch failed", { cause: error({ code }) });
    assertEquals(readFailure(failed).kind, "other", code);
    const other = error({ code: `x_${code}` });
    const may = new TypeError("fetch failed", { cause: other });
    const kind = code.includes("SELF_SIGNED") ? "other" : "network";
    assertEquals(readFailure(may).kind, kind, code);
  }
});

Deno.test("readFailure() takes integers from 400 to 599 for a status, and no more", () => {
  for (const status of [400, 599]) {
    assertEquals(readFailure({ status }).status, status);
    assertEquals(readFailure({ status }).kind, "status");
  }
  const refused = new Response(null, { status: 400 });
  assertEquals(readFailure(refused).kind, "status");
  for (const status of [399, 600, 429.5, "429", NaN, null]) {
    assertEquals(readFailure({ status }).status, undefined);
    assertEquals(readFailure({ status }).kind, "other");
  }
});

Deno.test("readFailure() believes an answer rather than a code beside it", () => {
  const answered = { code: "ECONNRESET", status: 404, response: {} };
  assertEquals(readFailure(answered).kind, "status");
  const unread = { code: "ECONNRESET", response: {} };
  assertEquals(readFailure(unread).kind, "network");
});

const KINDS: [FailureKind, string, unknown][] = [
  ["timeout", "AbortSignal.timeout", new DOMException("late", "TimeoutError")],
  ["timeout", "ky", error({ name: "TimeoutError" })],
  ["timeout", "got", error({ name: "TimeoutError", code: "ETIMEDOUT" })],
  ["timeout", "OpenAI", ofClass("APIConnectionTimeoutError")],
  [
    "timeout",
    "undici",
    error({ name: "HeadersTimeoutError", code: "UND_ERR_HEADERS_TIMEOUT" }),
  ],
  [
    "timeout",
    "a wrapped timeout",
    wrap(new DOMException("late", "TimeoutError")),
  ],
  [
    "timeout",
    "Octokit's timeout",
    error({ status: 500, cause: new DOMException("late", "TimeoutError") }),
  ],
  ["network", "an error with a code", error({ code: "ETIMEDOUT" })],
  ["network", "an error with a code in its cause", wrap(cause)],
  ["network", "a code three causes down", wrap(wrap(wrap(cause)))],
  ["other", "a code four causes down", wrap(wrap(wrap(wrap(cause))))],
  ["network", "axios without a network", error({ code: "ERR_NETWORK" })],
  ["network", "axios out of time", error({ code: "ECONNABORTED" })],
  [
    "network",
    "Octokit without a network",
    error({ status: 500, cause: error({ code: "ECONNREFUSED" }) }),
  ],
  [
    "network",
    "OpenAI without a network",
    ofClass("APIConnectionError", {
      cause: new TypeError("fetch failed", { cause }),
    }),
  ],
  ["network", "older Bun", error({ code: "ConnectionRefused" })],
  [
    "network",
    "Node: garbage",
    new TypeError("fetch failed", {
      cause: error({ name: "HTTPParserError" }),
    }),
  ],
  [
    "network",
    "Node: body cut",
    new TypeError("terminated", { cause: error({ code: "UND_ERR_SOCKET" }) }),
  ],
  [
    "network",
    "Deno: refused",
    new TypeError("fetch failed", {
      cause: new Error("error sending request for url (http://127.0.0.1:9/)"),
    }),
  ],
  [
    "network",
    "Deno 1",
    new TypeError(
      "error sending request for url (http://127.0.0.1:9/): tcp connect error",
    ),
  ],
  [
    "network",
    "Deno: body cut",
    new TypeError("error reading a body from connection"),
  ],
  [
    "network",
    "Bun",
    error(
      { code: "ECONNREFUSED" },
      new TypeError("ECONNREFUSED: Unable to connect"),
    ),
  ],
  ["network", "Chromium", new TypeError("Failed to fetch")],
  [
    "network",
    "Chromium with a host",
    new TypeError("Failed to fetch (example.com)"),
  ],
  ["network", "Chromium: body cut", new TypeError("network error")],
  [
    "network",
    "Firefox",
    new TypeError("NetworkError when attempting to fetch resource."),
  ],
  ["network", "Safari", new TypeError("Load failed")],
  ["network", "Safari with a host", new TypeError("Load failed (example.com)")],
  [
    "network",
    "Safari without a network",
    new TypeError("The Internet connection appears to be offline."),
  ],
  ["network", "Workers", new Error("Network connection lost.")],
  ["network", "React Native", new TypeError("Network request failed")],
  [
    "other",
    "a programming error",
    new TypeError("Cannot read properties of undefined (reading 'x')"),
  ],
  [
    "other",
    "a bad URL on Node",
    new TypeError("Failed to parse URL from x", {
      cause: error({ code: "ERR_INVALID_URL" }),
    }),
  ],
  [
    "other",
    "a bad URL on Bun",
    error({ code: "ERR_INVALID_URL" }, new TypeError("fetch() URL is invalid")),
  ],
  [
    "other",
    "an unknown scheme on Node",
    new TypeError("fetch failed", { cause: new Error("unknown scheme") }),
  ],
  [
    "other",
    "a certificate that does not fit on Node",
    new TypeError("fetch failed", {
      cause: error({ code: "ERR_TLS_CERT_ALTNAME_INVALID" }),
    }),
  ],
  [
    "other",
    "a certificate that does not fit on Deno",
    new TypeError("fetch failed", {
      cause: new Error("invalid peer certificate: UnknownIssuer"),
    }),
  ],
  ["other", "the words of fetch in another error", new Error("fetch failed")],
  ["other", "AbortError", new DOMException("aborted", "AbortError")],
  [
    "other",
    "an AbortError with a transient cause",
    error({ name: "AbortError", cause }),
  ],
  ["other", "a wrapped AbortError", wrap(error({ name: "AbortError", cause }))],
  ["other", "an exit code", error({ status: 1 })],
  ["other", "a success", error({ status: 200, response: { status: 200 } })],
  ["other", "a thrown redirect", new Response(null, { status: 304 })],
  ["other", "a status in words", error({ status: "429" })],
  ["other", "an error of the operating system", error({ code: "ENOENT" })],
  ["other", "a numeric code", error({ code: 20 })],
  ["other", "a string", "ECONNRESET"],
  ["other", "undefined", undefined],
  ["other", "null", null],
  ["other", "an object without a prototype", Object.create(null)],
];

for (const [kind, name, thrown] of KINDS) {
  Deno.test(`readFailure() takes ${name} for ${kind}`, () => {
    const failure = readFailure(thrown);
    assertEquals(failure.kind, kind);
    assertStrictEquals(failure.error, thrown);
    assertEquals(failure.status, undefined);
  });
}

Deno.test("readFailure() does not follow causes that go in circles", () => {
  const first = error({});
  first.cause = error({ cause: first });
  assertEquals(readFailure(first).kind, "other");
});

Deno.test("isRefusal() knows responses from 400 on, of any realm", () => {
  assert(isRefusal(new Response(null, { status: 400 })));
  assert(isRefusal({ status: 500, [Symbol.toStringTag]: "Response" }));
  for (
    const value of [
      new Response(),
      { status: 500 },
      500,
      "500",
      null,
      undefined,
    ]
  ) {
    assert(!isRefusal(value));
  }
});

Deno.test("isRateLimit() knows 429 and GitHub's 403", () => {
  assert(isRateLimit(429, undefined));
  assert(isRateLimit(403, new Headers({ "retry-after": "60" })));
  assert(isRateLimit(403, new Headers({ "x-ratelimit-remaining": "0" })));
  assert(!isRateLimit(403, new Headers({ "x-ratelimit-remaining": "10" })));
  assert(!isRateLimit(403, new Headers()));
  assert(!isRateLimit(403, undefined));
  assert(!isRateLimit(503, new Headers({ "retry-after": "60" })));
  assert(!isRateLimit(undefined, undefined));
});

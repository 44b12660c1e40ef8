import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import {
  type FailureKind,
  isFetchFailure,
  isRateLimit,
  isRefusal,
  isResponse,
  isTransient,
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
  [
    "the AI SDK",
    error({
      ...{ name: "AI_APICallError", statusCode: 429, isRetryable: true },
      responseHeaders: headers,
    }),
  ],
  [
    "the AI SDK after its own retries",
    error({
      name: "AI_RetryError",
      lastError: error({ statusCode: 429, responseHeaders: headers }),
    }),
  ],
  ["HubSpot, Kubernetes, X", error({ code: 429, headers })],
  ["SendGrid", error({ code: 429, response: { headers } })],
  ["Cosmos DB", error({ code: 429, headers, substatus: 3200 })],
  [
    "Shopify",
    error({ response: { code: 429, headers: { "Retry-After": ["3"] } } }),
  ],
  ["Elasticsearch", error({ meta: { statusCode: 429, headers } })],
  [
    "SDKs made by Fern",
    error({ statusCode: 429, rawResponse: { headers: new Headers(headers) } }),
  ],
  [
    "GitBeaker",
    error({
      cause: { response: new Response(null, { status: 429, headers }) },
    }),
  ],
  [
    "graphql-request",
    error({ response: { status: 429, headers: new Headers(headers) } }),
  ],
  [
    "Apollo, urql",
    error({
      networkError: error({
        ...{ statusCode: 429 },
        response: new Response(null, { status: 429, headers }),
      }),
    }),
  ],
  [
    "Slack, where it does not know a rate limit",
    error({
      ...{ code: "slack_webapi_http_error", statusCode: 429, headers },
    }),
  ],
  [
    "a status above its headers",
    error({ status: 429, cause: error({ response: { headers } }) }),
  ],
  [
    "a status three causes below its headers",
    error({ headers, cause: wrap(wrap(error({ statusCode: 429 }))) }),
  ],
  [
    "headers beside empty ones",
    error({ status: 429, headers: {}, response: { headers } }),
  ],
  [
    "Kiota's SDKs",
    error({
      responseStatusCode: 429,
      responseHeaders: { "Retry-After": ["3"] },
    }),
  ],
  ["Box", error({ responseInfo: { statusCode: 429, headers } })],
  [
    "Supabase",
    error({ context: new Response(null, { status: 429, headers }) }),
  ],
  ["tRPC", error({ data: { httpStatus: 429 }, meta: { headers } })],
  [
    "redaxios, which throws its answer",
    { status: 429, ok: false, headers: new Headers(headers), data: "slow" },
  ],
  ["an error frozen", Object.freeze(error({ status: 429, headers }))],
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

/** What is a rate limit by its name, with the status that it came with. */
const THROTTLED: [string, unknown][] = [
  ...[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
  ].flatMap((name): [string, unknown][] => [
    [`the AWS SDK's ${name}`, aws(name)],
    [`the AWS SDK 2's ${name}`, error({ code: name, statusCode: 400 })],
  ]),
  [
    "the AWS SDK's trait",
    error({ ...aws("Any"), $retryable: { throttling: true } }),
  ],
  [
    "S3's SlowDown",
    error({
      ...{ name: "SlowDown", $metadata: { httpStatusCode: 503 } },
    }),
  ],
  [
    "older Stripe",
    ofClass("StripeError", { statusCode: 400, code: "rate_limit" }),
  ],
  ["OpenAI", ofClass("RateLimitError")],
  ["Slack", error({ code: "slack_webapi_rate_limited_error" })],
  ["Contentful, CCXT", error({ name: "RateLimitExceeded" })],
  ["Firebase", error({ code: "auth/too-many-requests" })],
  ["Google", error({ code: "RESOURCE_EXHAUSTED" })],
  ["Twurple", ofClass("RateLimitReachedError")],
  ["Feathers", error({ name: "TooManyRequests", code: 400 })],
  ["tRPC", error({ data: { code: "TOO_MANY_REQUESTS" } })],
  ["discord.js", error({ name: "RateLimitError[/users/@me]" })],
  [
    "Linear",
    ofClass("RatelimitedLinearError", {
      ...{ type: "Ratelimited", status: 400, errors: [] },
    }),
  ],
  [
    "Linear's GraphQL",
    error({
      response: {
        status: 400,
        errors: [{ message: "", extensions: { code: "RATELIMITED" } }],
      },
    }),
  ],
  [
    "Octokit's GraphQL",
    error({
      ...{ name: "GraphqlResponseError", response: { viewer: null } },
      errors: [{ type: "RATE_LIMITED", message: "API rate limit exceeded" }],
    }),
  ],
  [
    "Shopify's GraphQL",
    error({
      body: {
        errors: { graphQLErrors: [{ extensions: { code: "THROTTLED" } }] },
      },
    }),
  ],
  [
    "Apollo",
    error({
      graphQLErrors: [{ message: "" }, { extensions: { code: "THROTTLED" } }],
    }),
  ],
  [
    "Google Drive",
    error({
      ...{ code: 403, response: { status: 403 } },
      errors: [{ domain: "usageLimits", reason: "userRateLimitExceeded" }],
    }),
  ],
  [
    "gaxios 8",
    error({
      ...{ status: 403, response: { status: 403 } },
      cause: { code: 403, errors: [{ reason: "rateLimitExceeded" }] },
    }),
  ],
  ["one that says when", error({ retryAfter: 0.5 })],
  [
    "GraphQL that says when",
    error({ response: { status: 200, errors: [{}], headers } }),
  ],
];

function aws(name: string): Error {
  return error({
    ...{ name, $fault: "client", $metadata: { httpStatusCode: 400 } },
    $response: { statusCode: 400, headers: { "x-amzn-requestid": "1" } },
  });
}

for (const [name, thrown] of THROTTLED) {
  Deno.test(`readFailure() reads ${name} as a rate limit`, () => {
    const failure = readFailure(thrown);
    assertEquals([failure.kind, failure.status], ["status", 429]);
    assertStrictEquals(failure.error, thrown);
    assertEquals(readFailure(wrap(thrown)).status, 429);
  });
}

Deno.test("readFailure() takes nothing for a rate limit that is not named so", () => {
  const others = [
    ...["RateLimiter", "RateLimiterError", "dailyLimitExceeded", "limit"],
    ...["QuotaExceeded", "insufficient_quota", "Throttler", "unlimited"],
  ];
  for (const name of others) {
    for (const field of ["name", "code", "type"]) {
      assertEquals(readFailure({ [field]: name }).kind, "other", name);
      assertEquals(readFailure({ [field]: name, status: 403 }).status, 403);
    }
    const listed = { status: 403, errors: [{ reason: name, type: name }] };
    assertEquals(readFailure(listed).status, 403, name);
  }
});

/** A client's own wait, and seconds. */
const WAITS: [string, object, number][] = [
  ["Slack", { code: "slack_webapi_rate_limited_error", retryAfter: 30 }, 30],
  ["jira.js", { status: 429, retryAfterMs: 1500 }, 1.5],
  ["Cosmos DB", { code: 429, retryAfterInMs: 100 }, 0.1],
  ["discord.js, before it asks", { timeToReset: 250, retryAfter: 250 }, 0.25],
  ["discord.js, refused", { timeToReset: 50, retryAfter: 1050 }, 1.05],
  ["Discord's body", { status: 429, rawError: { retry_after: 0.3 } }, 0.3],
  ["rate-limiter-flexible", { msBeforeNext: 2000, remainingPoints: 0 }, 2],
  ["Shopify", { response: { code: 429, retryAfter: 2 } }, 2],
  [
    "the AWS SDK",
    { name: "TooManyRequestsException", retryAfterSeconds: "10" },
    10,
  ],
  ["grammY", { error_code: 429, parameters: { retry_after: 5 } }, 5],
  [
    "Telegraf",
    {
      response: { error_code: 429, parameters: { retry_after: 5 } },
      parameters: { retry_after: 5 },
    },
    5,
  ],
  ["what a caller put there", { retryAfter: 12.5 }, 12.5],
  ["nothing to wait for", { retryAfter: 0 }, 0],
];

for (const [name, fields, seconds] of WAITS) {
  Deno.test(`readFailure() reads how long to wait from ${name}`, () => {
    for (const thrown of [error(fields), wrap(error(fields))]) {
      const failure = readFailure(thrown);
      assertEquals([failure.kind, failure.status], ["status", 429]);
      assertEquals(failure.retryAfter, seconds);
    }
  });
}

Deno.test("readFailure() keeps what else it knows beside a wait", () => {
  const refused = readFailure({ status: 503, headers, retryAfter: 7 });
  assertEquals([refused.status, refused.retryAfter], [503, 7]);
  assertEquals(refused.headers?.get("retry-after"), "3");
  const broken = readFailure({ code: "ECONNRESET", retryAfter: 7 });
  assertEquals([broken.kind, broken.retryAfter], ["network", 7]);
});

Deno.test("readFailure() takes no wait that is none", () => {
  for (
    const value of [
      -1,
      NaN,
      Infinity,
      "",
      "soon",
      "Infinity",
      null,
      true,
      {},
      [],
    ]
  ) {
    const failure = readFailure({ retryAfter: value });
    assertEquals([failure.kind, "retryAfter" in failure], ["other", false]);
  }
});

/** Every code of a connection that broke or never was, by who throws it. */
const TRANSIENT = {
  "the operating system":
    "EADDRNOTAVAIL EAI_AGAIN ECONNABORTED ECONNREFUSED ECONNRESET EHOSTDOWN " +
    "EHOSTUNREACH ENETDOWN ENETRESET ENETUNREACH ENOTFOUND EPIPE ETIMEDOUT",
  "request": "ESOCKETTIMEDOUT",
  "axios": "ERR_NETWORK",
  "AWS SDK 2": "NetworkingError",
  "Azure": "REQUEST_SEND_ERROR",
  "Node": "ERR_SOCKET_CONNECTION_TIMEOUT ERR_STREAM_PREMATURE_CLOSE " +
    "ERR_TLS_HANDSHAKE_TIMEOUT ETIMEOUT Z_BUF_ERROR",
  "Node's HTTP/2": "ERR_HTTP2_ERROR ERR_HTTP2_GOAWAY_SESSION " +
    "ERR_HTTP2_INVALID_SESSION ERR_HTTP2_INVALID_STREAM " +
    "ERR_HTTP2_OUT_OF_STREAMS ERR_HTTP2_PING_CANCEL ERR_HTTP2_SESSION_ERROR " +
    "ERR_HTTP2_SOCKET_UNBOUND ERR_HTTP2_STREAM_CANCEL ERR_HTTP2_STREAM_ERROR",
  "Node's parser": "HPE_INVALID_CONSTANT HPE_INVALID_STATUS " +
    "HPE_INVALID_CHUNK_SIZE HPE_UNEXPECTED_CONTENT_LENGTH HPE_LF_EXPECTED " +
    "HPE_CLOSED_CONNECTION HPE_INVALID_EOF_STATE",
  "undici": "UND_ERR_BODY_TIMEOUT UND_ERR_CONNECT_TIMEOUT " +
    "UND_ERR_HEADERS_TIMEOUT UND_ERR_RES_CONTENT_LENGTH_MISMATCH " +
    "UND_ERR_SOCKET",
  "Bun": "ConnectionClosed ConnectionRefused ConnectionReset " +
    "FailedToOpenSocket Malformed_HTTP_Response ZlibError " +
    "BrotliDecompressionError ZstdDecompressionError",
};

for (const [who, codes] of Object.entries(TRANSIENT)) {
  Deno.test(`readFailure() knows the codes of ${who}`, () => {
    for (const code of codes.split(" ")) {
      assertEquals(readFailure(error({ code })).kind, "network", code);
      assertEquals(readFailure(error({ code: `x${code}` })).kind, "other");
    }
  });
}

/** Codes of what will be wrong the next time, too. */
const MISTAKES = [
  "HPE_HEADER_OVERFLOW",
  "ERR_HTTP2_INVALID_HEADER_VALUE",
  "ERR_HTTP2_INVALID_CONNECTION_HEADERS",
  "ERR_HTTP2_HEADERS_SENT",
  "ERR_HTTP2_STATUS_INVALID",
  "ERR_HTTP2_UNSUPPORTED_PROTOCOL",
  "ERR_HTTP2_STREAM_SELF_DEPENDENCY",
  "ERR_STREAM_WRITE_AFTER_END",
  "ERR_SCRIPT_EXECUTION_TIMEOUT",
  "ERR_CANCELED",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_HEADERS_OVERFLOW",
  "CERT_HAS_EXPIRED",
];

Deno.test("readFailure() takes codes of mistakes for what they are", () => {
  for (const code of MISTAKES) {
    assertEquals(readFailure(error({ code })).kind, "other", code);
  }
});

/** What Node says in the cause of a fetch that would fail again. */
const PERMANENT_CODES = [
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_INVALID_URL",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
];

Deno.test("readFailure() knows the causes that make a fetch fail for good", () => {
  for (const code of PERMANENT_CODES) {
    const failed = new TypeError("fetch failed", { cause: error({ code }) });
    assertEquals(readFailure(failed).kind, "other", code);
    assert(!isFetchFailure(failed), code);
    const other = error({ code: `x_${code.replaceAll("CERT", "")}` });
    const may = new TypeError("fetch failed", { cause: other });
    assertEquals(readFailure(may).kind, "network", code);
    assert(isFetchFailure(may), code);
  }
});

/** The same on the error itself (Bun), below a client's own code, and in words. */
const PERMANENT: [string, Error][] = [
  ...["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN"].map(
    (code): [string, Error] => [
      `Bun: ${code}`,
      error({ code }, new TypeError("self signed certificate")),
    ],
  ),
  [
    "Bun: another host's certificate",
    error(
      { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      new TypeError("ERR_TLS_CERT_ALTNAME_INVALID fetching"),
    ),
  ],
  [
    "Bun: redirects in circles",
    error(
      { code: "TooManyRedirects" },
      new TypeError(
        "TooManyRedirects: The response redirected too many times.",
      ),
    ),
  ],
  ["Node: a port that is blocked", failedFetch("bad port")],
  ["Node: redirects in circles", failedFetch("redirect count exceeded")],
  ["Node: an unknown scheme", failedFetch("unknown scheme")],
  [
    "Deno: a port that is blocked",
    new TypeError(
      "Fetch failed: Requests to port 22 are blocked",
    ),
  ],
  [
    "Deno: a certificate that nobody knows",
    failedFetch(
      "error sending request for url (https://localhost/): client error " +
        "(Connect): invalid peer certificate: UnknownIssuer",
    ),
  ],
  [
    "axios, in front of a certificate",
    error({
      code: "ERR_NETWORK",
      cause: new TypeError("fetch failed", {
        cause: error({ code: "CERT_HAS_EXPIRED" }),
      }),
    }),
  ],
  [
    "the AI SDK, in front of a certificate",
    error({
      ...{ name: "AI_APICallError", isRetryable: true },
      cause: new Error("invalid peer certificate: Expired"),
    }),
  ],
  [
    "Elasticsearch, in front of a certificate",
    error({ name: "ConnectionError" }, new Error("self-signed certificate")),
  ],
];

function failedFetch(message: string): Error {
  return new TypeError("fetch failed", { cause: new Error(message) });
}

for (const [name, thrown] of PERMANENT) {
  Deno.test(`readFailure() does not take for transient: ${name}`, () => {
    assertEquals(readFailure(thrown).kind, "other");
    assertEquals(isFetchFailure(thrown), false);
  });
}

Deno.test("readFailure() does not look for mistakes in an address", () => {
  const address = "https://example.com/peer%20certificate/bad-port?redirect";
  for (
    const message of [
      `error sending request for url (${address}): connection reset`,
      `error sending request from 127.0.0.1:1 for ${address}certificate's`,
    ]
  ) {
    assertEquals(readFailure(failedFetch(message)).kind, "network");
    assert(isFetchFailure(failedFetch(message)));
  }
});

Deno.test("isFetchFailure() takes any TypeError, and no other error", () => {
  assert(isFetchFailure(new TypeError("whatever a browser says")));
  assert(!isFetchFailure(new Error("fetch failed")));
  assert(!isFetchFailure("fetch failed"));
  assert(!isFetchFailure(undefined));
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

/** Promise.any's, of attempts that failed in these ways. */
function several(...ways: string[]): Error {
  return new AggregateError(ways.map((way) => error({ name: way, code: way })));
}

const KINDS: [FailureKind, string, unknown][] = [
  ["network", "CCXT", error({ name: "NetworkError" })],
  ["network", "Firebase", error({ code: "auth/network-request-failed" })],
  ["network", "Supabase", error({ context: new TypeError("fetch failed") })],
  ["timeout", "CCXT out of time", error({ name: "RequestTimeout" })],
  [
    "network",
    "Angular",
    error(
      { name: "HttpErrorResponse", status: 0 },
      new Error("Http failure response for https://a/: 0 Unknown Error"),
    ),
  ],
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
  [
    "timeout",
    "node-fetch 2 without an answer",
    error({ name: "FetchError", type: "request-timeout" }),
  ],
  [
    "timeout",
    "node-fetch 2 in mid-body",
    error({ name: "FetchError", type: "body-timeout" }),
  ],
  [
    "timeout",
    "gaxios",
    error({ code: "TimeoutError", cause: error({ name: "AbortError" }) }),
  ],
  [
    "timeout",
    "the AWS SDK",
    error({ name: "TimeoutError", $metadata: { attempts: 1 } }),
  ],
  [
    "timeout",
    "S3, which waited for the request",
    error({
      ...{ name: "RequestTimeout", $metadata: { httpStatusCode: 400 } },
      $response: { headers: { server: "AmazonS3" } },
    }),
  ],
  ["timeout", "several timeouts", several("TimeoutError", "TimeoutError")],
  ["network", "several attempts", several("ECONNRESET", "TimeoutError")],
  [
    "network",
    "Node's attempts at several addresses",
    error({ code: "ECONNREFUSED", errors: [cause, cause] }, several("x")),
  ],
  [
    "network",
    "several attempts at several",
    new AggregateError([several("ECONNRESET"), wrap(several("EPIPE"))]),
  ],
  ["other", "several attempts, one of them a mistake", several("EPIPE", "x")],
  ["other", "several attempts, none of them made", several()],
  ["network", "older Bun", error({ code: "ConnectionRefused" })],
  [
    "network",
    "axios in mid-body",
    error(
      { code: "ERR_BAD_RESPONSE", status: 200, response: { status: 200 } },
      new Error("stream has been aborted"),
    ),
  ],
  [
    "other",
    "axios, of a body that is too long",
    error(
      { code: "ERR_BAD_RESPONSE", response: { status: 200 } },
      new Error("maxContentLength size of 10 exceeded"),
    ),
  ],
  [
    "other",
    "axios, of what is no JSON",
    error(
      { code: "ERR_BAD_RESPONSE", response: { status: 200 } },
      new SyntaxError("Unexpected end of JSON input"),
    ),
  ],
  [
    "network",
    "Azure in mid-body",
    error(
      { name: "RestError", code: "PARSE_ERROR" },
      new Error("Error reading response as text: aborted"),
    ),
  ],
  [
    "other",
    "Azure, of what is no JSON",
    error(
      { name: "RestError", code: "PARSE_ERROR" },
      new Error('Error "SyntaxError" occurred while parsing the response body'),
    ),
  ],
  [
    "network",
    "undici: garbage",
    error({ name: "HTTPParserError", data: "no HTTP" }),
  ],
  [
    "network",
    "got: garbage",
    error({ name: "RequestError", code: "HPE_INVALID_CONSTANT" }),
  ],
  [
    "network",
    "got in mid-body",
    error({
      ...{ name: "ReadError", code: "Z_BUF_ERROR" },
      response: { statusCode: 200, headers },
    }),
  ],
  [
    "network",
    "node-fetch in mid-body",
    error({ name: "FetchError", type: "system", errno: "ERR_OTHER" }),
  ],
  [
    "network",
    "node-fetch 3 in mid-body",
    error({ name: "FetchError" }, new Error("Premature close of server")),
  ],
  [
    "other",
    "node-fetch, too long",
    error({
      ...{ name: "FetchError", type: "max-size" },
    }),
  ],
  [
    "other",
    "node-fetch, no JSON",
    error({
      ...{ name: "FetchError", type: "invalid-json" },
    }),
  ],
  [
    "other",
    "node-fetch, a certificate",
    error({
      ...{ name: "FetchError", type: "system", code: "CERT_HAS_EXPIRED" },
    }),
  ],
  [
    "other",
    "node-fetch, aborted",
    error({
      ...{ name: "AbortError", type: "aborted" },
    }),
  ],
  [
    "network",
    "Stripe",
    error({
      ...{ type: "StripeConnectionError", detail: cause },
    }),
  ],
  [
    "network",
    "Stripe in mid-body",
    error({
      ...{
        type: "StripeConnectionError",
        raw: { detail: { exception: cause } },
      },
    }),
  ],
  [
    "network",
    "Slack",
    error({
      ...{ code: "slack_webapi_request_error", original: cause },
    }),
  ],
  ["network", "X", error({ type: "request", requestError: cause })],
  ["network", "Apollo", error({ networkError: cause, graphQLErrors: [] })],
  [
    "network",
    "Elasticsearch",
    error(
      { name: "ConnectionError", meta: { statusCode: 0 } },
      new Error("socket hang up"),
    ),
  ],
  [
    "network",
    "the AI SDK on Deno",
    error({
      ...{ name: "AI_APICallError", isRetryable: true },
      cause: new Error("Connection reset by peer (os error 104)"),
    }),
  ],
  [
    "network",
    "Deno: a compressed body cut",
    new TypeError("unexpected end of file"),
  ],
  [
    "network",
    "Deno: another compressed body cut",
    new TypeError("reached unexpected EOF"),
  ],
  [
    "network",
    "the AI SDK in mid-body",
    error({
      ...{ statusCode: 200, responseHeaders: {}, isRetryable: false },
      cause: new TypeError("unexpected end of file"),
    }),
  ],
  ["other", "the end of another file", new Error("unexpected end of file")],
  ["other", "a thrown function", () => {}],
  [
    "other",
    "a redirect thrown that says when",
    new Response(null, { status: 302, headers }),
  ],
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
  ["network", "Safari out of time", new TypeError("The request timed out.")],
  [
    "network",
    "Safari: host unknown",
    new TypeError("A server with the specified hostname could not be found."),
  ],
  [
    "network",
    "Safari: refused",
    new TypeError("Could not connect to the server."),
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
  ["other", "a limit of time by its name", error({ name: "TimeoutErrors" })],
  ["other", "a request for time", error({ name: "RequestTimeouts" })],
  ["other", "a type of its own", error({ type: "no-request-timeout" })],
  ["other", "a type of its own too", error({ type: "body-timeouts" })],
  [
    "other",
    "errors that are not of several attempts",
    error({ name: "AggregateErrors", errors: [cause] }),
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

Deno.test("readFailure() takes the worst answer of several attempts", () => {
  const worst = (...statuses: number[]) =>
    readFailure(
      new AggregateError([
        cause,
        ...statuses.map((status) =>
          new HttpError(new Response(null, { status, headers }))
        ),
      ]),
    );
  assertEquals(worst(503).status, 503);
  assertEquals(worst(503, 429, 503).status, 429);
  assertEquals(worst(429).headers?.get("retry-after"), "3");
  assertEquals(worst(503, 404, 429).status, 404);
  assert(worst(503).error instanceof AggregateError);
});

Deno.test("readFailure() tells a serialized answer from a broken body", () => {
  const answered = { code: "ERR_BAD_RESPONSE", status: 500 };
  assertEquals(readFailure(answered).status, 500);
  assertEquals(readFailure({ isRetryable: true, status: 500 }).status, 500);
});

/** The words that the reader looks for, and some that it does not. */
const word = fc.constantFrom(
  ...["AbortError", "TimeoutError", "AggregateError", "ThrottlingException"],
  ...["ECONNRESET", "HPE_X", "ERR_BAD_RESPONSE", "fetch failed", "TypeError"],
  ...["system", "RATE_LIMITED", "constructor", "", "3"],
);
const name = fc.constantFrom(
  ...["name", "message", "code", "type", "status", "statusCode", "headers"],
  ...["response", "$response", "$metadata", "$retryable", "throttling", "raw"],
  ...["cause", "error", "errors", "lastError", "retryAfter", "timeToReset"],
  ...["data", "body", "extensions", "isRetryable", "get", "constructor"],
);

/** Whatever may be thrown: nested, frozen, in circles, unreadable. */
const thrown = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.anything(),
    word,
    fc.constantFrom(400, 429, 503, 0, -1, NaN, 1e400),
    fc.constantFrom(new Headers(headers), new Response(null, { status: 500 })),
    fc.dictionary(name, tie("value")),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value")).map((fields) =>
      Object.freeze(Object.assign(new AggregateError([fields, 1]), fields))
    ),
    fc.dictionary(name, tie("value")).map(inCircles),
    tie("value").map(throwing),
    tie("value").map(revoked),
    tie("value").map(watched),
  ),
})).value;

function inCircles(fields: Record<string, unknown>): unknown {
  return Object.assign(fields, { cause: fields, errors: [fields] });
}

/** Fields of it that throw when they are read. */
function throwing(value: unknown): unknown {
  const fail = () => {
    throw new Error("unreadable");
  };
  return Object.defineProperties({ cause: value }, {
    ...{ status: { get: fail }, headers: { get: fail } },
    ...{ name: { get: fail }, [Symbol.toStringTag]: { get: fail } },
  });
}

function revoked(value: unknown): unknown {
  const { proxy, revoke } = Proxy.revocable(Object(value), {});
  revoke();
  return { cause: proxy, headers: proxy, errors: proxy, response: proxy };
}

/** A Proxy all of whose traps throw, but the one for reading. */
function watched(value: unknown): unknown {
  const fail = () => {
    throw new Error("hands off");
  };
  const proxy = new Proxy(Object(value), {
    ...{ has: fail, ownKeys: fail, getPrototypeOf: fail, set: fail },
    ...{ getOwnPropertyDescriptor: fail, defineProperty: fail },
  });
  return { cause: proxy, headers: proxy, errors: [proxy], response: proxy };
}

Deno.test("readFailure() never throws, and tells the same twice", () => {
  fc.assert(
    fc.property(thrown, (value) => {
      const failure = readFailure(value);
      assertStrictEquals(failure.error, value);
      assertEquals(failure.kind === "status", failure.status !== undefined);
      const again = readFailure(value);
      assertEquals([again.kind, again.status], [failure.kind, failure.status]);
      isFetchFailure(value);
      isRefusal(value);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("readFailure() does not follow causes that go in circles", () => {
  const first = error({});
  first.cause = error({ cause: first });
  assertEquals(readFailure(first).kind, "other");
});

Deno.test("isResponse() knows a Response that has no tag, as React Native's", () => {
  const { Response } = globalThis;
  class Polyfill {
    status = 500;
  }
  globalThis.Response = Polyfill as unknown as typeof Response;
  try {
    assert(isResponse(new Polyfill()));
    assert(isRefusal(new Polyfill()));
    assert(!isResponse({ status: 500 }));
    assert(!isResponse(Object.create(null)));
  } finally {
    globalThis.Response = Response;
  }
});

Deno.test("isTransient() knows what may pass, and lets the server overrule it", () => {
  const may = (status: number, fields: Record<string, string> = {}) => {
    const error = { status };
    const headers = new Headers(fields);
    return isTransient({ kind: "status", error, status, headers }, [429, 503]);
  };
  const kinds = ["timeout", "network", "other"] as const;
  assertEquals(
    kinds.map((kind) => isTransient({ kind, error: 1 }, [])),
    [true, true, false],
  );
  assertEquals([429, 503, 500, 404].map((status) => may(status)), [
    ...[true, true, false, false],
  ]);
  assert(may(403, { "retry-after": "1" }));
  assert(may(404, { "x-should-retry": "true" }));
  assert(!may(429, { "x-should-retry": "false" }));
  assert(may(429, { "x-should-retry": "perhaps" }));
  assert(!may(404, { "x-should-retry": "perhaps" }));
  assert(isTransient({ kind: "status", error: 1, status: 503 }, [503]));
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

Deno.test("isRateLimit() knows 429, and a 403 of GitHub and others", () => {
  assert(isRateLimit(429, undefined));
  assert(isRateLimit(403, new Headers({ "retry-after": "60" })));
  assert(isRateLimit(403, new Headers({ "x-ratelimit-remaining": "0" })));
  assert(!isRateLimit(403, new Headers({ "x-ratelimit-remaining": "10" })));
  assert(
    isRateLimit(403, new Headers({ "sforce-limit-info": "api-usage=9/9" })),
  );
  assert(isRateLimit(403, new Headers({ ratelimit: '"a";r=0;t=9' })));
  assert(!isRateLimit(403, new Headers()));
  assert(!isRateLimit(403, undefined));
  assert(!isRateLimit(503, new Headers({ "retry-after": "60" })));
  assert(!isRateLimit(undefined, undefined));
});

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ensureOk, HttpError, RateLimitError } from "./http_error.ts";
import { readFailure } from "./http/failure.ts";

function response(status: number, statusText: string, url: string): Response {
  const made = new Response("why", { status, statusText });
  Object.defineProperty(made, "url", { value: url });
  return made;
}

Deno.test("HttpError carries the response, its status and headers, and an unread body", async () => {
  const refused = new Response("why", {
    status: 429,
    headers: { "retry-after": "3" },
  });
  const error = new HttpError(refused);
  assert(error instanceof Error);
  assertEquals(error.name, "HttpError");
  assertStrictEquals(error.response, refused);
  assertStrictEquals(error.headers, refused.headers);
  assertEquals(error.status, 429);
  assertEquals(await error.response.text(), "why");
});

Deno.test("HttpError tells the address without query string and credentials", () => {
  const url = "https://user:secret@api.example.com/items?token=secret#part";
  assertEquals(
    new HttpError(response(429, "Too Many Requests", url)).message,
    "429 Too Many Requests: https://api.example.com/items",
  );
});

Deno.test("HttpError tells no address that is all content", () => {
  for (const url of ["data:text/plain,secret", "blob:https://a/1", "no url"]) {
    assertEquals(new HttpError(response(404, "", url)).message, "404");
  }
});

Deno.test("HttpError's message is one line without control characters", () => {
  const text = "Too\x1b[31m Many\r\n\u2028\u202eRequests";
  const refused = {
    ...{ status: 429, statusText: text, headers: new Headers() },
    url: "https://example.com/a\n\x1b[2Jb",
  } as Response;
  assertEquals(
    new HttpError(refused).message,
    "429 Too [31m Many Requests: https://example.com/a%1B[2Jb",
  );
});

Deno.test("HttpError tells the address where there is no URL.canParse()", () => {
  const { canParse } = URL;
  Reflect.deleteProperty(URL, "canParse");
  try {
    const refused = response(404, "Not Found", "https://example.com/items?a");
    assertEquals(
      new HttpError(refused).message,
      "404 Not Found: https://example.com/items",
    );
    assertEquals(new HttpError(response(404, "", "")).message, "404");
  } finally {
    Object.defineProperty(URL, "canParse", {
      ...{ value: canParse, configurable: true, enumerable: true },
      writable: true,
    });
  }
});

/** What `console.error` prints on the runtime that runs this. */
async function inspect(value: unknown): Promise<string> {
  const { inspect } = await import("node:util");
  return inspect(value, { depth: 9 });
}

Deno.test("HttpError shows neither cookies nor tokens where it is logged", async () => {
  const refused = new Response("secret body", {
    status: 401,
    headers: {
      "set-cookie": "session=secret",
      "authorization": "Bearer secret",
    },
  });
  Object.defineProperty(refused, "url", {
    value: "https://user:secret@example.com/items?token=secret",
  });
  const error = new HttpError(refused);
  const shown = [
    await inspect(error),
    await inspect(new Error("export failed", { cause: error })),
    "Deno" in globalThis && "inspect" in Deno ? Deno.inspect(error) : "",
    JSON.stringify(error),
    JSON.stringify({ ...error }),
    error.stack,
    String(error),
  ].join("\n");
  assert(shown.includes("401"));
  assert(!shown.includes("secret"), shown);
  assertEquals(error.headers.get("authorization"), "Bearer secret");
});

Deno.test("RateLimitError tells why, and until when", () => {
  const cause = new HttpError(new Response(null, { status: 429 }));
  const resumeAt = new Date("2026-11-23T12:10:00Z");
  const error = new RateLimitError("Cannot wait", {
    ...{ reason: "quota", resumeAt, cause },
  });
  assert(error instanceof Error);
  assertEquals(
    [error.name, error.message, error.reason],
    ["RateLimitError", "Cannot wait", "quota"],
  );
  assertStrictEquals(error.resumeAt, resumeAt);
  assertStrictEquals(error.cause, cause);
  const bare = new RateLimitError("Cannot wait", { reason: "refused" });
  assertEquals([bare.resumeAt, "cause" in bare], [undefined, false]);
});

Deno.test("RateLimitError is a rate limit to a retry around it", () => {
  const headers = { "retry-after": "3" };
  const cause = new HttpError(new Response(null, { status: 429, headers }));
  const failure = readFailure(
    new RateLimitError("Cannot wait", { reason: "quota", cause }),
  );
  assertEquals([failure.kind, failure.status], ["status", 429]);
  assertEquals(failure.headers?.get("retry-after"), "3");
});

Deno.test("HttpError leaves out what the response does not have", () => {
  assertEquals(
    new HttpError(new Response(null, { status: 503 })).message,
    "503",
  );
  assertEquals(
    new HttpError(response(503, "", "https://example.com/")).message,
    "503: https://example.com/",
  );
});

Deno.test("ensureOk() gives back what is below 400", () => {
  for (const status of [200, 204, 304, 399]) {
    const fine = new Response(null, { status });
    assertStrictEquals(ensureOk(fine), fine);
  }
});

Deno.test("ensureOk() throws from 400 on", () => {
  for (const status of [400, 404, 503]) {
    const refused = new Response(null, { status });
    const error = assertThrows(() => ensureOk(refused), HttpError);
    assertStrictEquals(error.response, refused);
  }
});

Deno.test("ensureOk() takes a promise", async () => {
  const fine = new Response("fine");
  assertStrictEquals(await ensureOk(Promise.resolve(fine)), fine);
  const refused = Promise.resolve(new Response(null, { status: 500 }));
  await assertRejects(() => ensureOk(refused), HttpError, "500");
  const broken = new TypeError("fetch failed");
  const thrown = await assertRejects(() => ensureOk(Promise.reject(broken)));
  assertStrictEquals(thrown, broken);
});

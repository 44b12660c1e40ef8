import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ensureOk, HttpError } from "./http_error.ts";

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

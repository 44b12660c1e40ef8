import { assertEquals, assertStrictEquals } from "@std/assert";
import { toHeaders } from "./headers.ts";

function listed(source: unknown): [string, string][] {
  return [...toHeaders(source)!];
}

Deno.test("toHeaders() gives Headers back as they are", () => {
  const headers = new Headers({ a: "1" });
  assertStrictEquals(toHeaders(headers), headers);
});

Deno.test("toHeaders() reads a plain object in any letter case", () => {
  assertEquals(listed({ "Retry-After": "3", "X-B": 4 }), [
    ["retry-after", "3"],
    ["x-b", "4"],
  ]);
});

Deno.test("toHeaders() joins arrays as HTTP does", () => {
  assertEquals(listed({ "retry-after": ["120", 240] }), [
    ["retry-after", "120, 240"],
  ]);
});

Deno.test("toHeaders() reads a Map and other iterables of pairs", () => {
  assertEquals(listed(new Map([["Retry-After", "3"]])), [["retry-after", "3"]]);
  assertEquals(listed([["A", "1"], ["b", "2"]]), [["a", "1"], ["b", "2"]]);
});

Deno.test("toHeaders() leaves out what cannot stand in Headers", () => {
  const odd = {
    ":status": "429",
    "a b": "1",
    none: undefined,
    nothing: null,
    flag: true,
    line: "a\nb",
    letter: "\u2212",
    good: " 1 ",
  };
  assertEquals(listed(odd), [["good", "1"]]);
  assertEquals(listed(["retry-after", "3"]), []);
});

Deno.test("toHeaders() leaves out names that are no text", () => {
  assertEquals(listed([[Symbol("a"), "1"], [7, "1"], {}, ["b", "2"]]), [
    ["b", "2"],
  ]);
});

Deno.test("toHeaders() gives undefined for what cannot be read", () => {
  const fail = () => {
    throw new Error("unreadable");
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const unreadable = [
    new Proxy({}, { ownKeys: fail, getPrototypeOf: fail }),
    revoked.proxy,
    { [Symbol.iterator]: fail },
    {
      get a() {
        return fail();
      },
    },
  ];
  for (const source of unreadable) assertEquals(toHeaders(source), undefined);
  // Node cannot read it, though it is an instance; Deno can.
  const proxy = toHeaders(new Proxy(new Headers({ a: "1" }), {}));
  assertEquals(proxy?.get("a") ?? "1", "1");
});

Deno.test("toHeaders() gives undefined for what is no object", () => {
  for (const value of [undefined, null, "retry-after: 3", 7]) {
    assertEquals(toHeaders(value), undefined);
  }
});

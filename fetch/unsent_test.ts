import { assert, assertEquals } from "@std/assert";
import { isUnsent } from "./unsent.ts";

const url = "https://api.example.com/items";

/** What `fetch` throws with a cause. */
function failed(cause: object): TypeError {
  return new TypeError("fetch failed", { cause });
}

function coded(message: string, fields: object): Error {
  return Object.assign(new Error(message), fields);
}

function deno(url: string, why: string): Error {
  return new Error(`error sending request for url (${url}): ${why}`);
}

const refused = {
  code: "ECONNREFUSED",
  syscall: "connect",
  address: "10.0.0.1",
  port: 443,
};

const UNSENT: [string, unknown][] = [
  ["Node, refused", failed(coded("connect ECONNREFUSED", refused))],
  [
    "Node, unknown host",
    failed(
      coded("getaddrinfo ENOTFOUND api.example.com", {
        code: "ENOTFOUND",
        syscall: "getaddrinfo",
        hostname: "api.example.com",
      }),
    ),
  ],
  [
    "Node, no answer to the first packet",
    failed(coded("connect ETIMEDOUT 10.0.0.1:443", {
      ...refused,
      code: "ETIMEDOUT",
    })),
  ],
  [
    "Node, no way there",
    failed(coded("connect EHOSTUNREACH 10.0.0.1:443", {
      ...refused,
      code: "EHOSTUNREACH",
    })),
  ],
  [
    "Node, every address refused",
    failed(
      Object.assign(
        new AggregateError([
          coded("connect ECONNREFUSED ::1:443", refused),
          coded("connect ECONNREFUSED 127.0.0.1:443", refused),
        ]),
        { code: "ECONNREFUSED" },
      ),
    ),
  ],
  [
    "every address, and nothing else told",
    failed(
      new AggregateError([
        coded("", { code: "ECONNREFUSED" }),
        coded("", { code: "ENOTFOUND" }),
      ]),
    ),
  ],
  [
    "undici, connect timeout",
    failed(coded(
      "Connect Timeout Error (attempted address: api.example.com:443, timeout: 10000ms)",
      { code: "UND_ERR_CONNECT_TIMEOUT" },
    )),
  ],
  [
    "Deno, refused",
    failed(
      deno(
        url,
        "client error (Connect): tcp connect error: Connection refused (os error 111)",
      ),
    ),
  ],
  [
    "Deno, unknown host",
    failed(
      deno(
        url,
        "client error (Connect): dns error: failed to lookup address information",
      ),
    ),
  ],
  [
    "Bun",
    Object.assign(new TypeError("ECONNREFUSED: Unable to connect."), {
      code: "ECONNREFUSED",
      path: url,
    }),
  ],
  ["an older Bun", coded("Unable to connect.", { code: "ConnectionRefused" })],
  [
    "node-fetch",
    coded("request to https://api.example.com/items failed", {
      name: "FetchError",
      type: "system",
      code: "ECONNREFUSED",
    }),
  ],
];

for (const [name, error] of UNSENT) {
  Deno.test(`isUnsent() knows a connection that was never made: ${name}`, () => {
    assert(isUnsent(error, url));
    // Nobody knows where that is, but it was not sent.
    assert(isUnsent(error, "/items"));
  });
}

for (
  const code of [
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENOTFOUND",
    "ERR_SOCKET_CONNECTION_TIMEOUT",
    "UND_ERR_CONNECT_TIMEOUT",
    "ConnectionRefused",
    "FailedToOpenSocket",
  ]
) {
  Deno.test(`isUnsent() knows ${code}`, () => {
    assert(isUnsent(coded("", { code }), url));
    assert(isUnsent(failed(coded("", { code })), url));
    assert(!isUnsent(coded("", { code: `${code}_NOT` }), url));
  });
}

const SENT: [string, unknown][] = [
  ["a broken connection", failed(coded("reset", { code: "ECONNRESET" }))],
  [
    "a broken connection, by its call",
    failed(coded("read ECONNRESET", { code: "ECONNRESET", syscall: "read" })),
  ],
  ["a timeout in between", failed(coded("late", { code: "ETIMEDOUT" }))],
  ["a closed socket", failed(coded("closed", { code: "UND_ERR_SOCKET" }))],
  [
    "Deno, a broken connection",
    failed(deno(url, "client error (SendRequest): connection closed")),
  ],
  ["any fetch failure", new TypeError("Failed to fetch")],
  ["a timeout", new DOMException("late", "TimeoutError")],
  [
    "one address of two that was reached",
    failed(
      new AggregateError([
        coded("connect ECONNREFUSED ::1:443", refused),
        coded("read ECONNRESET", { code: "ECONNRESET", syscall: "read" }),
      ]),
    ),
  ],
  // Redirected there: somebody has heard of it.
  [
    "another port",
    failed(coded("connect ECONNREFUSED", { ...refused, port: 8443 })),
  ],
  [
    "another host",
    failed(coded("getaddrinfo ENOTFOUND www.example.com", {
      code: "ENOTFOUND",
      syscall: "getaddrinfo",
      hostname: "www.example.com",
    })),
  ],
  [
    "another host, on Deno",
    failed(deno(
      "https://www.example.com/items",
      "client error (Connect): tcp connect error: Connection refused",
    )),
  ],
  [
    "another host, in undici's words",
    failed(coded(
      "Connect Timeout Error (attempted address: www.example.com:80, timeout: 10000ms)",
      { code: "UND_ERR_CONNECT_TIMEOUT" },
    )),
  ],
  [
    "who knows where, on Deno",
    failed(deno("nowhere", "client error (Connect): dns error")),
  ],
  ["nothing at all", undefined],
  ["an error that is its own error", circular()],
];

function circular(): AggregateError {
  const error = new AggregateError([]);
  error.errors = [error];
  return error;
}

for (const [name, error] of SENT) {
  Deno.test(`isUnsent() does not take for unsent: ${name}`, () => {
    assert(!isUnsent(error, url));
  });
}

Deno.test("isUnsent() knows the ports of both protocols, and IPv6 addresses", () => {
  const cases: [string, number, boolean][] = [
    ["http://a.example/", 80, true],
    ["http://a.example/", 443, false],
    ["https://a.example/", 443, true],
    ["http://a.example:8080/", 8080, true],
    ["http://a.example:8080/", 80, false],
  ];
  for (const [url, port, unsent] of cases) {
    const error = failed(coded("connect ECONNREFUSED", { ...refused, port }));
    assertEquals(isUnsent(error, url), unsent, `${url} ${port}`);
  }
  const host = failed(coded("getaddrinfo ENOTFOUND ::1", {
    code: "ENOTFOUND",
    hostname: "::1",
  }));
  assert(isUnsent(host, "http://[::1]/"));
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { HeadersLike } from "./http/headers.ts";
import { parseRetryAfter, serverDelay } from "./retry_after.ts";
import { NOON, onFakeTime } from "./testing/play.ts";

const at = { now: NOON };

/** Value, seconds at noon on 23 November 2026. */
const TABLE: [string, number][] = [
  // Seconds.
  ["0", 0],
  ["30", 30],
  ["007", 7],
  ["300", 300],
  ["301", 300],
  ["1.5", 1.5],
  ["30.", 30],
  [".5", 0.5],
  [".25", 0.25],
  ["1.50", 1.5],
  ["1e2", 100],
  ["2.5E+1", 25],
  ["1e-400", 0],
  ["9223372036854775807", 300],
  ["9".repeat(400), 300],
  ["0".repeat(1000) + "7", 7],
  ["-5", 0],
  ["-0", 0],
  ["+30", 30],
  [" 30\t", 30],
  ["\r\n30\r\n", 30],
  ["\u00a030\u2003", 30],
  // Not seconds.
  ["", 5],
  [" ", 5],
  ["Infinity", 5],
  ["NaN", 5],
  ["0x10", 5],
  ["1_000", 5],
  ["1,000", 5],
  ["120, 240", 5],
  ["30s", 5],
  ["500ms", 5],
  ["--5", 5],
  ["- 5", 5],
  [".", 5],
  ["e5", 5],
  ["1e", 5],
  ["1.2.3", 5],
  ["30\nX-Evil: 1", 5],
  ["\u0661\u0662", 5],
  ["\u00b2", 5],
  ["invalid garbage", 5],
  ["__proto__", 5],
  // IMF-fixdate.
  ["Mon, 23 Nov 2026 12:00:30 GMT", 30],
  ["Mon, 23 Nov 2026 12:05:01 GMT", 300],
  ["Mon, 23 Nov 2026 11:59:59 GMT", 0],
  ["Sun, 23 Nov 2026 12:00:30 GMT", 30],
  ["mon, 23 NOV 2026 12:00:30 utc", 30],
  ["Mon, 23 Nov 2026 12:00:60 GMT", 60],
  ["Fri, 31 Dec 9999 23:59:59 GMT", 300],
  ["Mon, 23 Nov 0026 12:00:30 GMT", 0],
  ["Sat, 29 Feb 0000 12:00:30 GMT", 0],
  ["Mon, 23 Nov 2026 12:00:61 GMT", 5],
  ["Mon, 23 Nov 2026 12:60:00 GMT", 5],
  ["Mon, 23 Nov 2026 24:00:00 GMT", 5],
  ["Tue, 31 Nov 2026 12:00:00 GMT", 5],
  ["Wed, 31 Feb 2027 12:00:00 GMT", 5],
  ["Mon, 29 Feb 2027 12:00:00 GMT", 5],
  ["Tue, 29 Feb 2028 12:00:00 GMT", 300],
  ["Mon, 00 Nov 2026 12:00:00 GMT", 5],
  ["Mon, 3 Nov 2026 12:00:00 GMT", 5],
  ["Foo, 23 Nov 2026 12:00:30 GMT", 5],
  ["Mon, 23 Foo 2026 12:00:30 GMT", 5],
  ["Mon, 23 toString 2026 12:00:30 GMT", 5],
  ["Mon, 23 Nov 2026 12:00:30", 5],
  ["Mon, 23 Nov 2026 12:00:30 EST", 5],
  ["Mon, 23 Nov 2026 12:00:30 +0000", 5],
  ["Mon, 23 Nov 2026 12:00:30 GMT; foo=bar", 5],
  ["Mon, 23 Nov 2026 12:00:30 GMT\nfoo", 5],
  ["Mon,  23 Nov 2026 12:00:30 GMT", 5],
  // RFC 850.
  ["Monday, 23-Nov-26 12:00:30 GMT", 30],
  ["Tuesday, 24-Nov-26 11:59:30 GMT", 300],
  ["wednesday, 23-nov-26 12:00:30 gmt", 30],
  ["Monday, 23-Nov-76 12:00:00 GMT", 300],
  ["Monday, 23-Nov-76 12:00:01 GMT", 0],
  ["Monday, 23-Nov-77 12:00:00 GMT", 0],
  ["Saturday, 06-Nov-94 08:49:37 GMT", 0],
  ["Monday, 31-Feb-27 12:00:00 GMT", 5],
  ["Monday, 23-Nov-2026 12:00:30 GMT", 5],
  ["Mon, 23-Nov-26 12:00:30 GMT", 5],
  // asctime.
  ["Mon Nov 23 12:00:30 2026", 30],
  ["MON NOV 23 12:00:30 2026", 30],
  ["Tue Dec  1 12:00:30 2026", 300],
  ["Tue Dec 1 12:00:30 2026", 5],
  ["Mon Nov 31 12:00:30 2026", 5],
  ["Mon Nov 23 12:00:30 GMT 2026", 5],
  // Other dates.
  ["2026-11-23T12:00:30Z", 5],
  ["11/23/2026 12:00:30", 5],
];

for (const [value, seconds] of TABLE) {
  const shown = value.length > 60 ? `${value.slice(0, 60)}...` : value;
  Deno.test(`parseRetryAfter() reads ${JSON.stringify(shown)} as ${seconds} s`, () => {
    assertEquals(parseRetryAfter(value, at), seconds);
  });
}

for (
  const [now, value, seconds] of [
    ["2099-12-31T23:59:50Z", "Friday, 01-Jan-00 00:00:20 GMT", 30],
    ["2000-01-01T00:00:10Z", "Friday, 31-Dec-99 23:59:59 GMT", 0],
    ["2026-12-31T23:59:30Z", "Thu Dec 31 23:59:60 2026", 30],
    ["2026-12-31T23:59:50Z", "Fri, 01 Jan 2027 00:00:10 GMT", 20],
    ["2026-11-23T12:00:00.250Z", "Mon, 23 Nov 2026 12:00:01 GMT", 0.75],
    ["2026-11-01T05:59:50Z", "Sun, 01 Nov 2026 06:00:10 GMT", 20],
    ["2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:30 GMT", 30],
    ["2100-03-01T00:00:00Z", "Mon, 29 Feb 2100 00:01:00 GMT", 5],
  ] as const
) {
  Deno.test(`parseRetryAfter() reads ${value} at ${now} as ${seconds} s`, () => {
    assertEquals(parseRetryAfter(value, { now: new Date(now) }), seconds);
  });
}

Deno.test("parseRetryAfter() knows every month and every day", () => {
  for (let day = 0; day < 366; day++) {
    const date = new Date(NOON + day * 86_400_000);
    const now = date.getTime() - 20_000;
    assertEquals(parseRetryAfter(date.toUTCString(), { now }), 20);
    const [weekday, ...rest] = date.toUTCString().split(/,? /);
    const [dayOfMonth, month, year, time] = rest;
    const long = date.toLocaleDateString("en", {
      weekday: "long",
      timeZone: "UTC",
    });
    for (
      const form of [
        `${long}, ${dayOfMonth}-${month}-${year!.slice(2)} ${time} GMT`,
        `${weekday} ${month} ${dayOfMonth!.replace(/^0/, " ")} ${time} ${year}`,
      ]
    ) {
      assertEquals(parseRetryAfter(form, { now }), 20, form);
    }
  }
});

Deno.test("parseRetryAfter() never gives -0", () => {
  assert(Object.is(parseRetryAfter("-0"), 0));
});

Deno.test("parseRetryAfter() takes the time from Date.now() at the moment of use", async () => {
  await onFakeTime(async (time) => {
    const date = "Mon, 23 Nov 2026 12:00:30 GMT";
    assertEquals(parseRetryAfter(date), 30);
    await time.tickAsync(10_000);
    assertEquals(parseRetryAfter(date), 20);
  });
});

Deno.test("parseRetryAfter() takes max, fallback and now", () => {
  assertEquals(parseRetryAfter("999", { max: 3600 }), 999);
  assertEquals(parseRetryAfter("999", { max: 0 }), 0);
  assertEquals(
    parseRetryAfter("9".repeat(400), { max: Infinity }),
    Number.MAX_VALUE,
  );
  assertEquals(parseRetryAfter("?", { fallback: 0 }), 0);
  assertEquals(parseRetryAfter("?", { fallback: 400 }), 400);
  assertEquals(
    parseRetryAfter("?", { now: null, max: null, fallback: undefined }),
    5,
  );
  assertEquals(parseRetryAfter("30", null), 30);
});

Deno.test("parseRetryAfter() refuses options out of range", () => {
  const bad = [
    [
      { now: NaN },
      "'now' must be a valid Date or a finite number of milliseconds: current value is NaN",
    ],
    [{ now: new Date("?") }, "'now'"],
    [{ max: -1 }, "'max'"],
    [
      { max: NaN },
      "'max' must be a number of seconds >= 0: current value is NaN",
    ],
    [
      { fallback: -1 },
      "'fallback' must be a finite number of seconds >= 0: current value is -1",
    ],
    [{ fallback: Infinity }, "'fallback'"],
  ] as const;
  for (const [options, message] of bad) {
    assertThrows(() => parseRetryAfter("1", options), RangeError, message);
  }
});

Deno.test("parseRetryAfter() refuses what is no string", () => {
  for (const value of [null, undefined, 30]) {
    assertThrows(
      () => parseRetryAfter(value as unknown as string),
      TypeError,
      `'value' must be a string: current value is ${value}`,
    );
  }
});

Deno.test("parseRetryAfter() never throws and stays in range for any string and clock", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.double().map(String),
    fc.stringMatching(
      /^[A-Z][a-z]{2,8},? [0-9 ]{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d( GMT)?$/,
    ),
  );
  const now = fc.integer({ min: -8.64e15, max: 8.64e15 });
  const max = fc.double({ min: 0, noNaN: true });
  fc.assert(
    fc.property(text, now, max, (text, now, max) => {
      const seconds = parseRetryAfter(text, { now, max, fallback: 5 });
      assert(Number.isFinite(seconds));
      assert(seconds === 5 || seconds >= 0 && seconds <= max);
    }),
    { numRuns: 2000 },
  );
});

const HOSTILE = [
  "1".repeat(1e6) + "x",
  " ".repeat(1e6) + "x",
  "1.".repeat(5e5),
  "1e".repeat(5e5),
  "Mon, ".repeat(2e5),
];

Deno.test("parseRetryAfter() gives up on a megabyte of anything", () => {
  for (const text of HOSTILE) assertEquals(parseRetryAfter(text), 5);
});

Deno.test("parseRetryAfter() meets the shared cases", async () => {
  const file = new URL("../shared/cases/retry_after.json", import.meta.url);
  const text = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "[]";
    throw error;
  });
  for (const { header, now, expectSeconds, why } of JSON.parse(text)) {
    const seconds = parseRetryAfter(header, { now: new Date(now) });
    assertEquals(seconds, expectSeconds, `${header.slice(0, 60)} (${why})`);
  }
});

/** Headers, seconds asked for at noon on 23 November 2026. */
const DELAYS: [string, HeadersLike, number | undefined][] = [
  ["nothing", {}, undefined],
  ["nothing usable", { "content-type": "text/plain" }, undefined],
  ["retry-after", { "Retry-After": "3" }, 3],
  ["Headers", new Headers({ "Retry-After": "3" }), 3],
  ["a Map", new Map([["RETRY-AFTER", "3"]]), 3],
  ["an array value", { "retry-after": ["3"] }, 3],
  ["a number value", { "retry-after": 3 }, 3],
  ["no cap", { "retry-after": "86400" }, 86400],
  ["a negative one", { "retry-after": "-3" }, 0],
  ["a malformed one", { "retry-after": "soon" }, 5],
  ["two of them", { "retry-after": "120, 240" }, 5],
  ["a duration", { "retry-after": "1m30s" }, 90],
  ["ISO 8601", { "retry-after": "2026-11-23T12:00:30Z" }, 30],
  ["Unix seconds", { "retry-after": `${NOON / 1000 + 30}` }, 30],
  ["nothing asked for", { "retry-after": "0" }, 0],
  ["a past date", { "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, 0],
  ["a malformed one beside a reset", {
    "retry-after": "soon",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "17",
  }, 17],
  ["0 beside a reset", {
    "retry-after": "0",
    "ratelimit": '"hour";r=0;t=23',
  }, 23],
  [
    "milliseconds first",
    { "retry-after-ms": "1500.5", "retry-after": "9" },
    1.5005,
  ],
  [
    "Azure's milliseconds",
    { "x-ms-retry-after-ms": "20", "retry-after": "9" },
    0.02,
  ],
  ["OpenAI's before Azure's", {
    "x-ms-retry-after-ms": "20",
    "retry-after-ms": "10",
  }, 0.01],
  [
    "malformed milliseconds",
    { "retry-after-ms": "soon", "retry-after": "9" },
    9,
  ],
  ["a date", { "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT" }, 30],
  ["a date beside the server's clock", {
    date: "Mon, 23 Nov 2026 13:00:00 GMT",
    "retry-after": "Mon, 23 Nov 2026 13:00:30 GMT",
  }, 30],
  ["a date beside a cached clock", {
    age: "3600",
    date: "Mon, 23 Nov 2026 11:00:00 GMT",
    "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT",
  }, 30],
  ["a date beside a broken clock", {
    date: "yesterday",
    "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT",
  }, 30],
  ["seconds beside the server's clock", {
    date: "Mon, 23 Nov 2026 13:00:00 GMT",
    "retry-after": "30",
  }, 30],
  ["ratelimit", { ratelimit: '"hour";r=0;t=23' }, 23],
  ["retry-after before ratelimit", {
    ratelimit: '"hour";r=0;t=23',
    "retry-after": "3",
  }, 3],
  ["the longest t of r=0", {
    ratelimit: '"a";r=0;t=23, "b";r=0;t=40, "c";r=1;t=99',
  }, 40],
  ["nothing exhausted", { ratelimit: '"a";r=1;t=23' }, undefined],
  ["no t", { ratelimit: '"a";r=0' }, undefined],
  ["names with commas and semicolons", { ratelimit: '"a,r=0;t=9";r=0;t=4' }, 4],
  ["a name that is not closed", { ratelimit: '"a;r=0;t=9' }, undefined],
  ["an escaped name", { ratelimit: '"a\\"";r=0;t=9' }, 9],
  ["malformed parameters", { ratelimit: '"a";r=0;t=soon' }, undefined],
  ["a partition key", { ratelimit: '"a";r=0;pk=:c29tZQ==:;t=9' }, 9],
  [
    "the draft's older form",
    { ratelimit: "limit=100, remaining=0, reset=5" },
    5,
  ],
  ["the older form with some left", {
    ratelimit: "limit=100, remaining=1, reset=5",
  }, undefined],
  [
    "nothing of Jira's announcements",
    { "Beta-RateLimit": '"tenant-app-quota";r=0;t=2107' },
    undefined,
  ],
  ["seconds until the reset", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "17",
  }, 17],
  ["Unix seconds", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": `${NOON / 1000 + 60}`,
  }, 60],
  ["Unix milliseconds", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": `${NOON + 60_500}`,
  }, 60.5],
  ["Jira's minutes", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2026-11-23T12:01Z",
  }, 60],
  ["an instant with an offset", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2026-11-23T14:30:10.250+02:30",
  }, 10.25],
  ["an instant west of Greenwich", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2026-11-23T07:01:00-0500",
  }, 60],
  ["an instant without a zone", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2026-11-23T12:01:00",
  }, undefined],
  ["a reset with more than an instant", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "at 2026-11-23T12:01:00Z",
  }, undefined],
  ["a reset with more after it", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2026-11-23T12:01:00Z or so",
  }, undefined],
  ["a name that is not closed, after one that is", {
    "ratelimit": '"a";r=0;t=9, "b',
  }, undefined],
  ["the longest of two families", {
    "ratelimit": '"a";r=0;t=0',
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "17",
  }, 17],
  ["names of parameters in any case, spaced", {
    "ratelimit": ' "a" ; R = 0 ; T = 9 ',
  }, 9],
  ["a month 00", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2027-00-23T12:01:00Z",
  }, undefined],
  ["a month 13", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2027-13-23T12:01:00Z",
  }, undefined],
  ["an impossible instant", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2027-02-31T12:01:00Z",
  }, undefined],
  ["a reset in the past", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "2026-11-23T11:59Z",
  }, undefined],
  ["a past second", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": `${NOON / 1000 - 1}`,
  }, undefined],
  ["a reset now", {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": `${NOON / 1000}`,
  }, 0],
  ["a reset by the server's clock", {
    date: "Mon, 23 Nov 2026 13:00:00 GMT",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": `${NOON / 1000 + 3660}`,
  }, 60],
  ["a reset with some left", {
    "x-ratelimit-remaining": "1",
    "x-ratelimit-reset": "17",
  }, undefined],
  ["a reset alone", { "x-ratelimit-reset": "17" }, undefined],
  [
    "the plain names",
    { "RateLimit-Remaining": "0", "RateLimit-Reset": "8" },
    8,
  ],
  ["names that do not match", {
    "x-ratelimit-remaining": "0",
    "ratelimit-reset": "8",
  }, undefined],
  [
    "a negative reset",
    { "ratelimit-remaining": "0", "ratelimit-reset": "-8" },
    undefined,
  ],
  [
    "a duration",
    { "ratelimit-remaining": "0", "ratelimit-reset": "6m0s" },
    360,
  ],
  [
    "a broken reset",
    { "ratelimit-remaining": "0", "ratelimit-reset": "6m0x" },
    undefined,
  ],
];

for (const [name, headers, seconds] of DELAYS) {
  Deno.test(`serverDelay() reads ${name}: ${seconds}`, () => {
    assertEquals(serverDelay(headers, at), seconds);
  });
}

Deno.test("serverDelay() clamps to max, and says fallback for a malformed value", () => {
  assertEquals(serverDelay({ "retry-after": "900" }, { max: 60 }), 60);
  assertEquals(serverDelay({ "retry-after": "soon" }, { fallback: 9 }), 9);
  assertEquals(
    serverDelay({ "retry-after": "9".repeat(400) }),
    Number.MAX_VALUE,
  );
  assertThrows(() => serverDelay({}, { max: -1 }), RangeError, "'max'");
});

Deno.test("serverDelay() says nothing without headers", () => {
  assertEquals(serverDelay(undefined), undefined);
  assertEquals(serverDelay(null), undefined);
});

Deno.test("serverDelay() stays in range for any headers, in linear time", () => {
  const value = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.stringMatching(/^"[a-z]"(;[rt]=[0-9-]{1,4}){1,4}(, "b";r=0;t=\d+)?$/),
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      "retry-after-ms",
      "retry-after",
      "ratelimit",
      "beta-ratelimit",
      "x-ratelimit-reset",
      "x-ratelimit-remaining",
      "date",
    ),
    value,
  );
  fc.assert(fc.property(headers, (headers) => {
    const delay = serverDelay(headers);
    assert(delay === undefined || delay >= 0 && Number.isFinite(delay));
  }));
  for (const text of HOSTILE) serverDelay({ ratelimit: text });
  serverDelay({ ratelimit: '"'.repeat(1e6) });
  serverDelay({ ratelimit: ";".repeat(1e6) });
  serverDelay({ "retry-after-ms": "=".repeat(1e6) });
});

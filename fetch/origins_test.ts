import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { NOON, onFakeTime, pass } from "../testing/play.ts";
import { RateLimiter } from "../rate_limiter.ts";
import { Origins, remembers } from "./origins.ts";

/** Borrows a limiter for each of many other origins, and gives it back. */
function goElsewhere(origins: Origins, times = 1000): void {
  for (let time = 0; time < times; time++) {
    const { limiter, giveBack } = origins.borrow(`https://${time}.example/`);
    limiter.observe({ status: 200 });
    giveBack();
  }
}

Deno.test("Origins has one limiter for each origin, and one for all relative addresses", () => {
  const origins = new Origins();
  const { limiter } = origins.borrow("https://a.example/1");
  const of = (url: string) => origins.borrow(url).limiter;
  assertStrictEquals(of("https://a.example/2?x"), limiter);
  assertStrictEquals(of("https://a.example:443/"), limiter);
  assert(of("https://a.example:8443/") !== limiter);
  assert(of("http://a.example/") !== limiter);
  assert(of("/a") !== limiter);
  assertStrictEquals(of("/a"), of("b?c"));
});

/** Whether the limiter of an origin is still the one it was. */
function keeps(origins: Origins, url: string, limiter: RateLimiter): boolean {
  const again = origins.borrow(url);
  again.giveBack();
  return again.limiter === limiter;
}

Deno.test("Origins keeps the limiters of a few origins, idle or not", () => {
  const origins = new Origins();
  const { limiter, giveBack } = origins.borrow("https://a.example/");
  giveBack();
  goElsewhere(origins, 62);
  assert(keeps(origins, "https://a.example/", limiter));
});

Deno.test("Origins forgets limiters that are idle and have nothing to remember", () => {
  const origins = new Origins();
  const { limiter, giveBack } = origins.borrow("https://a.example/");
  giveBack();
  goElsewhere(origins, 64);
  assert(!keeps(origins, "https://a.example/", limiter));
});

Deno.test("Origins does not look through all for each new one", () => {
  const origins = new Origins();
  for (let time = 0; time < 64; time++) {
    origins.borrow(`https://used${time}.example/`);
  }
  const { limiter, giveBack } = origins.borrow("https://a.example/");
  giveBack();
  goElsewhere(origins, 60);
  assert(keeps(origins, "https://a.example/", limiter));
  goElsewhere(origins, 80);
  assert(!keeps(origins, "https://a.example/", limiter));
});

Deno.test("Origins keeps a limiter that is in use", () => {
  const origins = new Origins();
  const { limiter, giveBack } = origins.borrow("https://a.example/");
  origins.borrow("https://a.example/").giveBack();
  goElsewhere(origins);
  assertStrictEquals(origins.borrow("https://a.example/").limiter, limiter);
  giveBack();
});

Deno.test("Origins keeps a limiter that was refused", () => {
  const origins = new Origins();
  const { limiter, giveBack } = origins.borrow("https://a.example/");
  limiter.observe({ status: 429, headers: { "retry-after": "5" } });
  giveBack();
  goElsewhere(origins);
  assertStrictEquals(origins.borrow("https://a.example/").limiter, limiter);
});

Deno.test("Origins keeps a limiter that was told what is left, until that is over", () =>
  onFakeTime(async (time) => {
    const origins = new Origins();
    const { limiter, giveBack } = origins.borrow("https://a.example/");
    limiter.observe({
      status: 200,
      headers: {
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "50",
        "x-ratelimit-reset": `${NOON / 1000 + 60}`,
      },
    });
    giveBack();
    goElsewhere(origins);
    const again = origins.borrow("https://a.example/");
    assertStrictEquals(again.limiter, limiter);
    again.giveBack();
    await pass(time, 61);
    goElsewhere(origins);
    assert(origins.borrow("https://a.example/").limiter !== limiter);
  }));

Deno.test("remembers() asks what a new limiter would have to learn", () => {
  const now = 1000;
  const nothing = {
    ...new RateLimiter().state,
    phase: "flowing",
  } as const;
  const limit = (resetAt: number | undefined) => [{
    id: "x",
    limit: 2,
    remaining: 1,
    resetAt: resetAt === undefined ? undefined : new Date(resetAt),
  }];
  for (
    const [state, kept] of [
      [{}, false],
      [{ phase: "learning" }, false],
      [{ phase: "paused" }, true],
      [{ phase: "probing" }, true],
      [{ phase: "outage" }, true],
      [{ rate: 10 }, true],
      [{ inFlight: 4 }, true],
      [{ limits: limit(now + 1) }, true],
      [{ limits: limit(now) }, false],
      [{ limits: limit(undefined) }, false],
      [{ limits: [...limit(now), ...limit(now + 1)] }, true],
    ] as const
  ) {
    assertEquals(remembers({ ...nothing, ...state }, now), kept);
  }
});

import { assert, assertStrictEquals } from "@std/assert";
import { NOON, onFakeTime, pass } from "../testing/play.ts";
import { Origins } from "./origins.ts";

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

Deno.test("Origins forgets a limiter that is idle and has nothing to remember", () => {
  const origins = new Origins();
  const { limiter, giveBack } = origins.borrow("https://a.example/");
  limiter.observe({ status: 200 });
  giveBack();
  assertStrictEquals(origins.borrow("https://a.example/").limiter, limiter);
  origins.borrow("https://b.example/").giveBack();
  assertStrictEquals(origins.borrow("https://a.example/").limiter, limiter);
});

Deno.test("Origins keeps few limiters that are idle", () => {
  const origins = new Origins();
  const { limiter, giveBack } = origins.borrow("https://a.example/");
  giveBack();
  goElsewhere(origins);
  assert(origins.borrow("https://a.example/").limiter !== limiter);
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

import FakeTimers from "@sinonjs/fake-timers";
import test from "node:test";
import { limiterObeys, retriesObey } from "./scenario.mjs";

for (const obeys of [retriesObey, limiterObeys]) {
  test(`@sinonjs/fake-timers: ${obeys.name}`, async () => {
    const clock = FakeTimers.install({
      toFake: ["setTimeout", "clearTimeout", "Date"],
    });
    try {
      await obeys((milliseconds) => clock.tickAsync(milliseconds));
    } finally {
      clock.uninstall();
    }
  });
}

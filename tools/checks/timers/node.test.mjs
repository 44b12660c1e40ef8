import test, { mock } from "node:test";
import { setImmediate } from "node:timers/promises";
import { limiterObeys, retriesObey } from "./scenario.mjs";

for (const obeys of [retriesObey, limiterObeys]) {
  test(`node:test: ${obeys.name}`, async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      await obeys(async (milliseconds) => {
        await setImmediate(); // timers that promises are about to set
        mock.timers.tick(milliseconds);
        await setImmediate();
      });
    } finally {
      mock.timers.reset();
    }
  });
}

import { afterEach, beforeEach, jest, test } from "bun:test";
import { limiterObeys, retriesObey } from "./scenario.mjs";

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Bun's clock knows no asynchronous advance: lets promises come first. */
async function settle() {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

for (const obeys of [retriesObey, limiterObeys]) {
  test(`Bun: ${obeys.name}`, async () => {
    await obeys(async (milliseconds) => {
      await settle();
      jest.advanceTimersByTime(milliseconds);
      await settle();
    });
  });
}

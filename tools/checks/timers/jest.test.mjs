import { afterEach, beforeEach, jest, test } from "@jest/globals";
import { limiterObeys, retriesObey } from "./scenario.mjs";

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

for (const obeys of [retriesObey, limiterObeys]) {
  test(`Jest: ${obeys.name}`, async () => {
    await obeys((milliseconds) => jest.advanceTimersByTimeAsync(milliseconds));
  });
}

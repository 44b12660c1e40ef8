import { afterEach, beforeEach, test, vi } from "vitest";
import { limiterObeys, retriesObey } from "./scenario.mjs";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

for (const obeys of [retriesObey, limiterObeys]) {
  test(`Vitest: ${obeys.name}`, async () => {
    await obeys((milliseconds) => vi.advanceTimersByTimeAsync(milliseconds));
  });
}

/**
 * The best possible time of a job: what a client could do that knows the limit.
 *
 * @module
 */

/** The earliest instants at which requests can pass, in s after the first. */
export type Slots = readonly number[];

/**
 * Seconds from the first request to the last answer: the k-th request goes as
 * soon as the limit lets it and one of the workers is free.
 */
export function bestSeconds(
  slots: Slots,
  workers: number,
  latency: number,
): number {
  const sent: number[] = [];
  for (const [k, slot] of slots.entries()) {
    const free = k < workers ? 0 : sent[k - workers]! + latency;
    sent.push(Math.max(slot, free));
  }
  return (sent.at(-1) ?? 0) + latency;
}

const each = (count: number, slot: (k: number) => number): Slots =>
  Array.from({ length: count }, (_, k) => slot(k));

/** No limit, or one that the workers tell (of requests at once). */
export const freeSlots = (count: number): Slots => each(count, () => 0);

/**
 * A bucket, full at first, or empty for so many seconds; its rate by the seconds
 * since the first request.
 */
export function bucketSlots(
  count: number,
  rate: number | ((since: number) => number),
  burst: number,
  empty = 0,
): Slots {
  const slots: number[] = [];
  const step = 0.001;
  let tokens = empty > 0 ? 0 : burst;
  for (let at = empty; slots.length < count; at += step) {
    for (; tokens >= 1 && slots.length < count; tokens--) slots.push(at);
    const current = typeof rate === "number" ? rate : rate(at);
    tokens = Math.min(burst, tokens + current * step);
  }
  return slots;
}

/** Windows that begin with the first request after the last one's end. */
export const windowSlots = (
  count: number,
  limit: number,
  seconds: number,
): Slots => each(count, (k) => Math.floor(k / limit) * seconds);

/** Windows that begin at multiples of `grain`, by the first request's instant. */
export const alignedSlots = (
  count: number,
  limit: number,
  seconds: number,
  grain: number,
  start: number,
): Slots =>
  each(count, (k) => {
    const begin = Math.floor(start / grain) * grain - start;
    return Math.max(0, begin + Math.floor(k / limit) * seconds);
  });

/** A sliding counter: a whole window at once, then its mean rate. */
export const counterSlots = (
  count: number,
  limit: number,
  seconds: number,
): Slots =>
  each(
    count,
    (k) => k < limit ? 0 : seconds + (k + 1 - limit) * seconds / limit,
  );

/** A bucket, full at first and full again after the outage. */
export const outageSlots = (
  count: number,
  rate: number,
  burst: number,
  from: number,
  seconds: number,
): Slots => {
  const before = bucketSlots(count, rate, burst).filter((at) => at < from);
  const after = bucketSlots(count - before.length, rate, burst);
  return [...before, ...after.map((at) => from + seconds + at)];
};

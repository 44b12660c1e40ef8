/** Stand-in until the table of dialects is there. */
import {
  parseNumber,
  parseRateLimit,
  parseReset,
  serverDelay,
  serverNow,
} from "../retry_after.ts";
export interface LimitReading {
  readonly id: string;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly reset: number | undefined;
  readonly precision: number;
  readonly instant: boolean;
  readonly window: number | undefined;
  readonly rate: number | undefined;
  readonly counted: boolean;
}
const count = (h: Headers, n: string) => {
  const v = parseNumber(h.get(n) ?? "");
  return v !== undefined && v >= 0 ? v : undefined;
};
export function readLimits(h: Headers, now: number): LimitReading[] {
  const out: LimitReading[] = [];
  const present = serverNow(h, now);
  const draft = parseRateLimit(h.get("ratelimit") ?? "").filter((i) =>
    i.r !== undefined
  );
  const pol = parseRateLimit(h.get("ratelimit-policy") ?? "");
  draft.forEach((i, k) =>
    out.push({
      id: `ratelimit${k}`,
      limit: i.q ?? (pol.length === draft.length ? pol[k]!.q : undefined),
      remaining: i.r,
      reset: i.t,
      precision: 1,
      instant: false,
      window: pol[k]?.w,
      rate: undefined,
      counted: true,
    })
  );
  const remaining = count(h, "x-ratelimit-remaining");
  if (remaining !== undefined) {
    const text = h.get("x-ratelimit-reset") ?? "";
    const fill = count(h, "x-ratelimit-fillrate"),
      seconds = count(h, "x-ratelimit-interval-seconds");
    out.push({
      id: `x-ratelimit${h.get("x-ratelimit-resource") ?? ""}`,
      limit: count(h, "x-ratelimit-limit"),
      remaining,
      reset: parseReset(text, present),
      precision: /^\d{13}$/.test(text) ? 0 : /T/.test(text) ? 60 : 1,
      instant: /^\d{10}|T/.test(text),
      window: undefined,
      rate: fill && seconds ? fill / seconds : undefined,
      counted: true,
    });
  }
  return out;
}
export const readDelay = (h: Headers, now: number) => serverDelay(h, { now });

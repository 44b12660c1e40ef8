/**
 * Rate limits as servers apply them: each decides on a request at the instant it
 * arrives. Instants in seconds since the epoch.
 *
 * @module
 */

/** What a server answers. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
}

/** Decides on a request; `atOnce` are those under way, this one among them. */
export type Limit = (now: number, atOnce: number) => Answer;

const accept = (headers: Record<string, string> = {}): Answer => ({
  status: 200,
  headers,
});

const refuse = (
  headers: Record<string, string> = {},
  status = 429,
): Answer => ({ status, headers });

/** No limit at all. */
export const unlimited = (): Limit => () => accept();

/** Settings of a token bucket. */
export interface BucketOptions {
  /** Requests per second, by the seconds since the first request. */
  rate: number | ((since: number) => number);
  burst: number;
  /** What it tells: Jira's headers, `Retry-After` on refusals, or nothing. */
  tells: "jira" | "retry-after" | "nothing";
  /** Seconds that it is used up for when the first request comes. */
  empty?: number;
  /** Requests per second that somebody else takes out of it. */
  others?: (since: number) => number;
}

/** A token bucket (a leaky one is the same to its clients). */
export function bucket(options: BucketOptions): Limit {
  const { rate, burst, tells, empty, others = () => 0 } = options;
  let tokens = burst;
  let start = NaN;
  let last = 0;
  return (now) => {
    if (Number.isNaN(start)) start = last = now;
    const current = typeof rate === "number" ? rate : rate(now - start);
    if (empty !== undefined && now === start) tokens = -empty * current;
    const gain = current - others(now - start);
    tokens = Math.min(burst, tokens + (now - last) * gain);
    last = now;
    const accepted = tokens >= 1;
    if (accepted) tokens--;
    const headers: Record<string, string> = {};
    if (tells === "jira") {
      headers["X-RateLimit-Limit"] = String(burst);
      headers["X-RateLimit-Remaining"] = String(
        Math.max(0, Math.floor(tokens)),
      );
      headers["X-RateLimit-FillRate"] = String(current);
      headers["X-RateLimit-Interval-Seconds"] = "1";
    }
    if (accepted) return accept(headers);
    if (tells !== "nothing") {
      headers["Retry-After"] = String(Math.ceil(1 / current));
    }
    return refuse(headers);
  };
}

/** `count` tokens every `seconds`, none kept: Envoy's local rate limit. */
export function refills(count: number, seconds: number): Limit {
  let start = NaN;
  let period = 0;
  let left = count;
  return (now) => {
    if (Number.isNaN(start)) start = now;
    const current = Math.floor((now - start) / seconds);
    if (current > period) left = count;
    period = current;
    return left-- > 0 ? accept() : refuse();
  };
}

/** Settings of a fixed window. */
export interface WindowOptions {
  limit: number;
  seconds: number;
  /** `X-RateLimit-*` with the reset as an instant, or nothing. */
  tells: "instants" | "nothing";
  /** Windows begin at multiples of `seconds`, not with a request. */
  aligned?: boolean;
  /** Windows begin at a full second, so that their end is told exactly. */
  wholeSeconds?: boolean;
  /** Refused requests are taken from the window, and from the next one. */
  counts?: boolean;
  /** 429, or GitHub's 403. */
  status?: number;
  /** Most requests at once; more are refused for a second. */
  atOnce?: number;
}

/** A fixed window. */
export function fixedWindow(options: WindowOptions): Limit {
  const { limit, seconds, tells, aligned, wholeSeconds, counts } = options;
  const { status = 429, atOnce: most = Infinity } = options;
  let end = 0;
  let used = 0;
  return (now, atOnce) => {
    if (now >= end) {
      const begin = aligned
        ? Math.floor(now / seconds) * seconds
        : wholeSeconds
        ? Math.floor(now)
        : now;
      used = counts ? Math.max(0, Math.min(used - limit, limit)) : 0;
      end = begin + seconds;
    }
    const tooMany = atOnce > most;
    const accepted = used < limit && !tooMany;
    if (accepted || counts) used++;
    const headers: Record<string, string> = {};
    if (tells === "instants") {
      headers["X-RateLimit-Limit"] = String(limit);
      headers["X-RateLimit-Remaining"] = String(Math.max(0, limit - used));
      headers["X-RateLimit-Reset"] = String(Math.ceil(end));
    }
    if (accepted) return accept(headers);
    if (tooMany && used < limit) headers["Retry-After"] = "1";
    // GitHub's refusal of the first kind names no time but the reset.
    else if (tells === "instants" && status === 429) {
      headers["Retry-After"] = String(Math.ceil(end - now));
    }
    return refuse(headers, status);
  };
}

/** Never more than `limit` in any `seconds`; tells `Retry-After` only. */
export function slidingLog(limit: number, seconds: number): Limit {
  const accepted: number[] = [];
  return (now) => {
    const oldest = accepted[accepted.length - limit];
    if (oldest === undefined || oldest <= now - seconds) {
      accepted.push(now);
      return accept();
    }
    const wait = Math.ceil(oldest + seconds - now);
    return refuse({ "Retry-After": String(wait) });
  };
}

/**
 * This window's requests and the last one's, these weighted by how much of them
 * still counts: Cloudflare's way. Windows begin with the first request.
 */
export function slidingCounter(
  limit: number,
  seconds: number,
  tells: "draft" | "nothing",
): Limit {
  let begin = NaN;
  let used = 0;
  let before = 0;
  return (now) => {
    if (Number.isNaN(begin)) begin = now;
    if (now >= begin + seconds) {
      const passed = Math.floor((now - begin) / seconds);
      before = passed === 1 ? used : 0;
      used = 0;
      begin += passed * seconds;
    }
    const weighted = before * (1 - (now - begin) / seconds) + used;
    const accepted = weighted + 1 <= limit;
    if (accepted) used++;
    const left = begin + seconds - now;
    const headers: Record<string, string> = {};
    if (tells === "draft") {
      const remaining = Math.floor(limit - weighted - (accepted ? 1 : 0));
      headers["RateLimit"] = `"default";r=${Math.max(0, remaining)};t=${
        Math.ceil(left)
      }`;
      headers["RateLimit-Policy"] = `"default";q=${limit};w=${seconds}`;
    }
    if (accepted) return accept(headers);
    if (tells === "draft") {
      // When so much of the last window is forgotten that one more fits.
      const wait = used + 1 <= limit && before > 0
        ? (weighted + 1 - limit) / before * seconds
        : left;
      headers["Retry-After"] = String(Math.ceil(wait));
    }
    return refuse(headers);
  };
}

/** Nothing but a limit of requests at once. */
export function concurrency(most: number, status: 429 | 503): Limit {
  return (_, atOnce) => atOnce > most ? refuse({}, status) : accept();
}

/**
 * A limit whose server also fails now and then, and says when to come back; not
 * after so many requests, so that the job's last item does not decide its time.
 */
export function failing(limit: Limit, share: number, until: number): Limit {
  let count = 0;
  return (now, atOnce) => {
    // Spread evenly, so that every client meets the same.
    const fails = (++count * 0.618034) % 1 < share && count <= until;
    return fails ? refuse({ "Retry-After": "1" }, 503) : limit(now, atOnce);
  };
}

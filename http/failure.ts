/**
 * The failure reader: what any HTTP client throws, told apart into a status, a
 * timeout, a network failure and everything else. Where each client keeps what
 * it knows stands in `clients.ts`, how networks fail in `network.ts`.
 *
 * @module
 */

import {
  HEADERS,
  HOLDERS,
  LISTED,
  LISTS,
  NAMES,
  STATUS,
  THROTTLED,
  WAITS,
} from "./clients.ts";
import { readLimits } from "./dialects.ts";
import { at, causes, field, isObject, items, text } from "./fields.ts";
import { toHeaders } from "./headers.ts";
import { isNetwork } from "./network.ts";

export { isFetchFailure } from "./network.ts";

/**
 * What kind of failure it was: the server answered with a status >= 400, the
 * attempt took too long, the network broke, or anything else (a programming
 * error, an `AbortError`).
 */
export type FailureKind = "status" | "timeout" | "network" | "other";

/**
 * A failed attempt, as hooks and predicates get it.
 *
 * @example Retry on one message of one server
 * ```ts
 * import { type Failure, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const busy = (failure: Failure) =>
 *   failure.kind === "network" || failure.status === 423;
 *
 * const value = await retryWithBackoff(
 *   (attempt) => attempt.number > 1 ? "done" : new Response(null, { status: 423 }),
 *   { shouldRetry: busy, config: { baseDelay: 0.001 } },
 * );
 * assertEquals(value, "done");
 * ```
 */
export interface Failure {
  /** What kind of failure it was. */
  readonly kind: FailureKind;
  /** What the caller will get if this was the last attempt, as it was thrown. */
  readonly error: unknown;
  /** The HTTP status, an integer from 400 to 599. */
  readonly status?: number;
  /** The response's headers, whatever shape the client has them in. */
  readonly headers?: Headers;
  /** The response, where it is a web-standard one. */
  readonly response?: Response;
  /** What the server asked for, in seconds, before it is clamped. */
  readonly retryAfter?: number;
}

/** Whether it is a `Response`, of this realm or of a package that has its own. */
export function isResponse(value: unknown): value is Response {
  return isObject(value) && (
    field(value, Symbol.toStringTag) === "Response" ||
    field(value, "constructor") === Response
  );
}

/** Whether it is a `Response` with a status >= 400. */
export function isRefusal(value: unknown): value is Response {
  return isResponse(value) && (field(value, "status") as number) >= 400;
}

/** Reads whatever an attempt threw, or the `Response` that it was refused with. */
export function readFailure(error: unknown): Failure {
  return read(error, 0);
}

/** How deep errors of several attempts are looked into. */
const DEPTH = 2;

function read(error: unknown, depth: number): Failure {
  const chain = causes(error);
  const throttled = chain.some(isThrottled);
  for (const link of chain) {
    if (text(link, "name") === "AbortError") return { kind: "other", error };
    const status = statusOf(link);
    if (throttled || status && isAnswer(link)) break;
    const kind = isTimeout(link)
      ? "timeout"
      : isNetwork(link, chain, status) && "network";
    if (kind) return { kind, error, ...waitOf(chain) };
    const worst = depth < DEPTH && worstOf(link, depth);
    if (worst) return { ...worst, error };
  }
  return refusal(error, chain, throttled);
}

type Chain = readonly object[];

/** What the server refused: all of it, from wherever in the chain it is told. */
function refusal(error: unknown, chain: Chain, throttled: boolean): Failure {
  const wait = waitOf(chain);
  const response = first(chain, responseOf);
  const headers = first(chain, headersOf) ??
    toHeaders(field(response, "headers"));
  const asked = wait || !isResponse(error) && headers?.has("retry-after");
  const told = throttled ? 429 : first(chain, statusOf);
  const status = told ?? (asked ? 429 : undefined);
  if (!status) return { kind: "other", error };
  return {
    ...{ kind: "status", error, status },
    ...headers && { headers },
    ...response && { response },
    ...wait,
  };
}

function first<T>(chain: Chain, read: (link: object) => T): T | undefined {
  return chain.map(read).find((found) => found !== undefined);
}

/** The first of the fields that means something, in the error or what it holds. */
function find<T>(
  link: object,
  names: readonly string[],
  read: (value: unknown) => T | undefined,
): T | undefined {
  for (const name of names) {
    for (const holder of holdersOf(link)) {
      const found = read(field(holder, name));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function holdersOf(link: object): readonly unknown[] {
  return [link, ...HOLDERS.map((name) => field(link, name))];
}

function statusOf(link: object): number | undefined {
  return find(link, STATUS, (value) =>
    // An exit code in `status` is none.
    Number.isInteger(value) && value as number >= 400 && value as number <= 599
      ? value as number
      : undefined);
}

function headersOf(link: object): Headers | undefined {
  return find(link, HEADERS, (value) => {
    const headers = toHeaders(value);
    return headers?.keys().next().done ? undefined : headers;
  });
}

function responseOf(link: object): Response | undefined {
  return holdersOf(link).find(isRefusal);
}

/** S3's word for a request that came too slowly, with a 400. */
const isTooSlow = (link: object) => text(link, "name") === "RequestTimeout";

/**
 * Whether the status is a server's: Octokit gives 500 to network failures too,
 * but then there is no response and there are no headers.
 */
function isAnswer(link: object): boolean {
  return !isTooSlow(link) && (
    headersOf(link) !== undefined ||
    holdersOf(link).slice(1).some(isObject)
  );
}

/** By name, class or code: OpenAI's errors keep the name "Error". */
function isTimeout(link: object): boolean {
  return isTooSlow(link) ||
    // and node-fetch's `type`
    isNamed(link, NAMES, /TimeoutError$|^(?:request|body)-timeout$/);
}

/** Whether a server refused for rate, whatever status it did so with. */
function isThrottled(link: object): boolean {
  return at(link, "$retryable.throttling") === true || // AWS SDK
    isNamed(link, NAMES, THROTTLED) ||
    LISTS.some((path) =>
      items(at(link, path)).some((item) => isNamed(item, LISTED, THROTTLED))
    );
}

function isNamed(
  value: unknown,
  paths: readonly string[],
  pattern: RegExp,
): boolean {
  return paths.some((path) => pattern.test(text(value, path)));
}

/** What the client says it should wait, in seconds. */
function waitOf(chain: Chain): { readonly retryAfter: number } | undefined {
  for (const [unit, ...names] of WAITS) {
    const waits = names.map((name) =>
      first(
        chain,
        (link) => find(link, [name], (value) => seconds(value, unit)),
      )
    );
    if (waits[0] !== undefined) {
      return { retryAfter: Math.max(...waits.map((wait) => wait ?? 0)) };
    }
  }
  return undefined;
}

function seconds(value: unknown, unit: number): number | undefined {
  const told = typeof value === "string" ? Number(value || NaN) : value;
  return typeof told === "number" && told >= 0 && told < Infinity
    ? told * unit
    : undefined;
}

/**
 * What is worst among the errors of several attempts: one that cannot pass
 * decides, and an answer says more than none.
 */
function worstOf(link: object, depth: number): Failure | undefined {
  if (!text(link, "name").endsWith("AggregateError")) return undefined;
  return items(field(link, "errors"))
    .map((error) => read(error, depth + 1))
    .sort((a, b) => rank(a) - rank(b))[0];
}

function rank({ kind, status }: Failure): number {
  return status ?? (kind === "other" ? 0 : 600);
}

/**
 * Whether the server refused for the caller's rate: 429
 * ({@link https://www.rfc-editor.org/rfc/rfc6585#section-4 | RFC 6585}), or a
 * 403 with `retry-after`, or with a limit that is used up, as of GitHub
 * ({@link https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api | docs.github.com})
 * and Salesforce.
 */
export function isRateLimit(
  status: number | undefined,
  headers: Headers | undefined,
): boolean {
  if (status === 429) return true;
  return status === 403 && headers !== undefined &&
    (headers.has("retry-after") ||
      readLimits(headers, 0).some(({ remaining }) => remaining === 0));
}

/** Whether a failure may pass, given the statuses that do. */
export function isTransient(
  { kind, status, headers }: Failure,
  retryableStatusCodes: readonly number[],
): boolean {
  if (kind !== "status") return kind !== "other";
  // OpenAI's way of having the last word.
  const verdict = headers?.get("x-should-retry");
  if (verdict === "true" || verdict === "false") return verdict === "true";
  const effective = isRateLimit(status, headers) ? 429 : status!;
  return retryableStatusCodes.includes(effective);
}

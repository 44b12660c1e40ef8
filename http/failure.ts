/**
 * The failure reader: what any HTTP client throws, told apart into a status, a
 * timeout, a network failure and everything else. Where each client keeps what
 * it knows stands in `clients.ts`, how networks fail in `network.ts`.
 *
 * @module
 */

import {
  HEADERS,
  LISTED,
  LISTS,
  NAMES,
  STATUS,
  THROTTLED,
  WAITS,
} from "./clients.ts";
import { readLimits } from "./dialects.ts";
import { causes, field, holders, isResponse, items, text } from "./fields.ts";
import { toHeaders } from "./headers.ts";
import { isNetwork } from "./network.ts";

export { isFetchFailure } from "./network.ts";
export { isResponse } from "./fields.ts";

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
  const links = chain.map(toLink);
  for (const link of links) {
    if (link.names.startsWith("AbortError\n")) return { kind: "other", error };
    const status = statusOf(link);
    if (THROTTLED.test(link.names) || status && isAnswer(link)) break;
    const kind = TIMEOUT.test(link.names)
      ? "timeout"
      : isNetwork(link.error, chain, status) && "network";
    if (kind) return { kind, error, ...waitOf(links) };
    const worst = depth < DEPTH && worstOf(link, depth);
    if (worst) return { ...worst, error };
  }
  return refusal(error, links);
}

/** An error of a chain of causes. */
interface Link {
  readonly error: object;
  /** The error itself, and what it holds of an answer. */
  readonly holders: readonly object[];
  /** Its name, code, type and class, a line each. */
  readonly names: string;
}

function toLink(error: object): Link {
  const className = text(field(error, "constructor"), "name");
  const names = `${namesOf(error, NAMES)}\n${className}`;
  return { error, holders: holders(error), names };
}

function namesOf(value: unknown, fields: readonly string[]): string {
  return fields.map((name) => text(value, name)).join("\n");
}

/** OpenAI's keep the name "Error", node-fetch's have a type, S3's a 400. */
const TIMEOUT = /TimeoutError$|^(?:(?:request|body)-timeout|RequestTimeout)$/m;

/** Whether a server refused for rate, whatever status it did so with. */
function isThrottled({ error, holders, names }: Link): boolean {
  return THROTTLED.test(names) ||
    field(field(error, "$retryable"), "throttling") === true || // AWS SDK
    [...holders, field(field(error, "body"), "errors")] // Shopify
      .flatMap((holder) => LISTS.flatMap((name) => items(field(holder, name))))
      .flatMap((listed) => [listed, field(listed, "extensions")])
      .some((listed) => THROTTLED.test(namesOf(listed, LISTED)));
}

/** What the server refused: all of it, from wherever in the chain it is told. */
function refusal(error: unknown, links: readonly Link[]): Failure {
  const wait = waitOf(links);
  const response = first(links, ({ holders }) => holders.find(isRefusal));
  const headers = first(links, headersOf) ??
    toHeaders(field(response, "headers"));
  const asked = wait || !isResponse(error) && headers?.has("retry-after");
  const told = links.some(isThrottled) ? 429 : first(links, statusOf);
  const status = told ?? (asked ? 429 : undefined);
  if (!status) return { kind: "other", error };
  return {
    ...{ kind: "status", error, status },
    ...headers && { headers },
    ...response && { response },
    ...wait,
  };
}

function first<T>(
  links: readonly Link[],
  read: (link: Link) => T | undefined,
): T | undefined {
  for (const link of links) {
    const found = read(link);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first of the fields that means something. */
function find<T>(
  { holders }: Link,
  names: readonly string[],
  read: (value: unknown) => T | undefined,
): T | undefined {
  for (const name of names) {
    for (const holder of holders) {
      const found = read(field(holder, name));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function statusOf(link: Link): number | undefined {
  return find(link, STATUS, httpStatus);
}

/** A number that can be an HTTP failure; an exit code in `status` is none. */
function httpStatus(value: unknown): number | undefined {
  const valid = typeof value === "number" && Number.isInteger(value) &&
    value >= 400 && value <= 599;
  return valid ? value : undefined;
}

function headersOf(link: Link): Headers | undefined {
  return find(link, HEADERS, (value) => {
    const headers = toHeaders(value);
    return headers?.keys().next().done ? undefined : headers;
  });
}

/**
 * Whether the status is a server's: Octokit gives 500 to network failures too,
 * but then there is no response and there are no headers.
 */
function isAnswer(link: Link): boolean {
  return text(link.error, "name") !== "RequestTimeout" &&
    (link.holders.length > 1 || headersOf(link) !== undefined);
}

/** What the client says it should wait, in seconds. */
function waitOf(
  links: readonly Link[],
): { readonly retryAfter: number } | undefined {
  for (const [unit, ...names] of WAITS) {
    const waits = names.map((name) =>
      first(links, (link) => find(link, [name], seconds))
    );
    if (waits[0] !== undefined) {
      const longest = Math.max(...waits.map((wait) => wait ?? 0));
      return { retryAfter: longest * unit };
    }
  }
  return undefined;
}

/** A number of whatever unit, or its digits. */
function seconds(value: unknown): number | undefined {
  const told = typeof value === "string" ? Number(value || NaN) : value;
  return typeof told === "number" && told >= 0 && told < Infinity
    ? told
    : undefined;
}

/**
 * What is worst among the errors of several attempts: one that cannot pass
 * decides, and an answer says more than none.
 */
function worstOf({ error, names }: Link, depth: number): Failure | undefined {
  if (!/AggregateError$/m.test(names)) return undefined;
  return items(field(error, "errors"))
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

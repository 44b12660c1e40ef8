/**
 * Knows what every HTTP client throws, and tells a status, a timeout, a
 * network failure and everything else apart.
 *
 * @module
 */

import { toHeaders } from "./headers.ts";

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

/** Codes of Node, undici, Bun and the clients for a network that broke. */
const TRANSIENT_CODES = new Set([
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ESOCKETTIMEDOUT",
  "ETIMEDOUT",
  "ERR_HTTP2_STREAM_ERROR",
  "ERR_NETWORK",
  "ERR_SOCKET_CONNECTION_TIMEOUT",
  "ERR_STREAM_PREMATURE_CLOSE",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_SOCKET",
  "ConnectionClosed",
  "ConnectionRefused",
  "ConnectionReset",
  "FailedToOpenSocket",
  "Malformed_HTTP_Response",
]);

/**
 * How the runtimes word a failed `fetch`, always a `TypeError`. A TypeError
 * with another message is the caller's own mistake.
 */
const FETCH_MESSAGES = new RegExp(
  [
    "^fetch failed$|^terminated$", // Node, Deno
    "^error sending request|^error reading a body|^error decoding response", // Deno
    "^Failed to fetch|^network error$", // Chromium
    "^NetworkError when attempting|^Error in (?:input|body) stream", // Firefox
    "^Load failed|^A network error occurred|connection was lost|appears to be offline", // Safari
    "^Network request failed", // React Native
  ].join("|"),
);

/** What a failed `fetch` has as its cause when another try would fail as well. */
const PERMANENT_CAUSE =
  /unknown scheme|certificate|^ERR_INVALID|^ERR_TLS_CERT|^CERT_|SELF_SIGNED|^UNABLE_TO_|^UND_ERR_(?:INVALID|NOT_SUPPORTED|REQ_CONTENT)/;

const CAUSES = 3;

type Dictionary = { readonly [field: string]: unknown };

function fields(value: unknown): Dictionary | undefined {
  return typeof value === "object" && value !== null
    ? value as Dictionary
    : undefined;
}

/** Whether it is a `Response`, of this realm or of a package that has its own. */
export function isResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null &&
    (value instanceof Response ||
      (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] ===
        "Response");
}

/** Whether it is a `Response` with a status >= 400. */
export function isRefusal(value: unknown): value is Response {
  return isResponse(value) && value.status >= 400;
}

/** A number that can be an HTTP failure; an exit code in `status` is none. */
function httpStatus(value: unknown): number | undefined {
  const valid = typeof value === "number" && Number.isInteger(value) &&
    value >= 400 && value <= 599;
  return valid ? value : undefined;
}

function statusOf(error: Dictionary): number | undefined {
  const response = fields(error.response);
  return httpStatus(error.status) ?? httpStatus(error.statusCode) ??
    httpStatus(response?.status) ?? httpStatus(response?.statusCode) ??
    httpStatus(fields(error.$metadata)?.httpStatusCode);
}

function headersOf(error: Dictionary): Headers | undefined {
  return toHeaders(fields(error.response)?.headers) ??
    toHeaders(error.headers) ?? toHeaders(fields(error.$response)?.headers);
}

function isAbort(error: Dictionary): boolean {
  return error.name === "AbortError";
}

/** By name or class name: OpenAI's and Anthropic's errors keep the name "Error". */
function isTimeout(error: Dictionary): boolean {
  return String(error.name).endsWith("TimeoutError") ||
    String(error.constructor?.name).endsWith("TimeoutError");
}

function isNetwork(error: Dictionary): boolean {
  const code = error.code;
  if (typeof code === "string" && TRANSIENT_CODES.has(code)) return true;
  const message = String(error.message);
  // The one client that throws no TypeError is Cloudflare's Workers.
  if (message.startsWith("Network connection lost")) return true;
  return FETCH_MESSAGES.test(message) && isFetchFailure(error);
}

/**
 * Whether it is what `fetch` rejects with when the network breaks, given that
 * `fetch` is what rejected: by its standard, any `TypeError`.
 */
export function isFetchFailure(error: unknown): boolean {
  const read = fields(error);
  if (read?.name !== "TypeError") return false;
  const cause = fields(read.cause);
  return !PERMANENT_CAUSE.test(String(cause?.code ?? cause?.message));
}

/** Looks at the error and down its causes. */
function transientKind(error: Dictionary): "timeout" | "network" | undefined {
  let link: Dictionary | undefined = error;
  for (let depth = 0; link && depth <= CAUSES; depth++) {
    if (isAbort(link)) return undefined;
    if (isTimeout(link)) return "timeout";
    if (isNetwork(link)) return "network";
    link = fields(link.cause);
  }
  return undefined;
}

/** Reads whatever an attempt threw, or the `Response` that it was refused with. */
export function readFailure(error: unknown): Failure {
  const read = fields(error);
  if (!read || isAbort(read)) return { kind: "other", error };
  if (isResponse(error)) return refusal(error, error);
  // Octokit gives status 500, but no response, to network failures.
  const answered = fields(read.response) ?? fields(read.$response);
  const kind = answered && statusOf(read) !== undefined
    ? undefined
    : transientKind(read);
  if (kind) return { kind, error };
  return httpFailure(error, read) ?? httpFailure(error, fields(read.cause)) ??
    { kind: "other", error };
}

function httpFailure(
  error: unknown,
  carrier: Dictionary | undefined,
): Failure | undefined {
  if (!carrier) return undefined;
  if (isRefusal(carrier.response)) return refusal(error, carrier.response);
  const status = statusOf(carrier);
  if (status === undefined) return undefined;
  const headers = headersOf(carrier);
  return { kind: "status", error, status, ...headers && { headers } };
}

function refusal(error: unknown, response: Response): Failure {
  const { status } = response;
  const headers = toHeaders(response.headers)!;
  return status >= 400
    ? { kind: "status", error, status, headers, response }
    : { kind: "other", error };
}

/**
 * Whether the server refused for the caller's rate: 429
 * ({@link https://www.rfc-editor.org/rfc/rfc6585#section-4 | RFC 6585}), or
 * GitHub's 403
 * ({@link https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api | docs.github.com}).
 */
export function isRateLimit(
  status: number | undefined,
  headers: Headers | undefined,
): boolean {
  if (status === 429) return true;
  return status === 403 && headers !== undefined &&
    (headers.has("retry-after") ||
      headers.get("x-ratelimit-remaining") === "0");
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

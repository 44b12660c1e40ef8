/**
 * HTTP errors: a refused response as one, and a call that gave up in a rate
 * limiter's queue.
 *
 * @example Throw what `fetch` does not
 * ```ts
 * import { ensureOk, HttpError } from "@jarkdown/retry/http-error";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(
 *   () => ensureOk(new Response(null, { status: 404, statusText: "Not Found" })),
 *   HttpError,
 * );
 * assertEquals(error.message, "404 Not Found");
 * ```
 *
 * @module
 */

/** The address without what may be secret: credentials, query and fragment. */
function publicAddress(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    // `data:` and `blob:` have no host, and all that they hold as a path.
    return host === "" ? "" : `${protocol}//${host}${pathname}`;
  } catch {
    return ""; // no URL: a `Response` that was made by hand
  }
}

/** What moves a terminal's cursor, or turns a line around. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

function describe(response: Response): string {
  const status = `${response.status} ${response.statusText}`.trim();
  const address = publicAddress(response.url);
  const line = address === "" ? status : `${status}: ${address}`;
  return line.replace(UNPRINTABLE, " ");
}

/**
 * A response with a status >= 400, as an error. The body is unread, so that
 * the caller can still see what the server had to say.
 *
 * @example The response comes along
 * ```ts
 * import { HttpError } from "@jarkdown/retry/http-error";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HttpError(new Response("no such issue", { status: 404 }));
 * assertEquals(error.status, 404);
 * assertEquals(await error.response.text(), "no such issue");
 * ```
 */
export class HttpError extends Error {
  /** `"HttpError"`. */
  override readonly name = "HttpError";
  /** The response's status, an integer from 400 to 599. */
  readonly status: number;
  // Not a plain field: logs print those, and cookies and tokens with them.
  readonly #response: Response;

  /**
   * Makes the error; its message is
   * `429 Too Many Requests: https://api.example.com/items`, without the
   * address's query string and credentials, and without control characters.
   *
   * @param response The refused response.
   */
  constructor(response: Response) {
    super(describe(response));
    this.status = response.status;
    this.#response = response;
  }

  /** The response, its body unread. Logs do not show it. */
  get response(): Response {
    return this.#response;
  }

  /** The response's headers. Logs do not show them. */
  get headers(): Headers {
    return this.#response.headers;
  }
}

/**
 * What a call rejects with that gave up in the queue of a rate limiter, before
 * its first attempt: the limiter knows that its turn would come too late.
 *
 * @example Told when to come back
 * ```ts
 * import { RateLimitError } from "@jarkdown/retry/http-error";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new RateLimitError("Cannot wait 600 s for a turn", {
 *   reason: "quota",
 *   resumeAt: new Date("2026-11-23T12:10:00Z"),
 * });
 * assertEquals(error.resumeAt?.toISOString(), "2026-11-23T12:10:00.000Z");
 * ```
 */
export class RateLimitError extends Error {
  /** `"RateLimitError"`. */
  override readonly name = "RateLimitError";
  /** Why the limiter holds everybody back. */
  readonly reason: string;
  /** When it will go on; `undefined` where nobody knows. */
  readonly resumeAt: Date | undefined;

  /**
   * Makes the error.
   *
   * @param message What happened, for people.
   * @param init Why, until when, and the refusal that it comes from.
   */
  constructor(message: string, init: RateLimitErrorInit) {
    super(message, init.cause === undefined ? {} : { cause: init.cause });
    this.reason = init.reason;
    this.resumeAt = init.resumeAt;
  }
}

/**
 * What a {@linkcode RateLimitError} is made of.
 *
 * @example With the refusal that closed the limiter
 * ```ts
 * import {
 *   HttpError,
 *   RateLimitError,
 *   type RateLimitErrorInit,
 * } from "@jarkdown/retry/http-error";
 * import { assertEquals } from "@std/assert";
 *
 * const cause = new HttpError(new Response(null, { status: 429 }));
 * const init: RateLimitErrorInit = { reason: "refused", cause };
 * assertEquals(new RateLimitError("Cannot wait", init).cause, cause);
 * ```
 */
export interface RateLimitErrorInit {
  /** Why the limiter holds everybody back. */
  readonly reason: string;
  /** When it will go on. */
  readonly resumeAt?: Date | undefined;
  /** The refusal that closed the limiter. */
  readonly cause?: unknown;
}

/**
 * Returns the response if its status is below 400, and throws
 * {@linkcode HttpError} otherwise. Given a promise, as `fetch` makes it,
 * returns one.
 *
 * @example With a promise
 * ```ts
 * import { ensureOk } from "@jarkdown/retry/http-error";
 * import { assertEquals } from "@std/assert";
 *
 * const response = await ensureOk(fetch("data:application/json,[1,2]"));
 * assertEquals(await response.json(), [1, 2]);
 * ```
 *
 * @param response A response, or the promise of one.
 * @returns The same response, or the promise of it.
 * @throws {HttpError} If the status is 400 or above; given a promise, as its
 * rejection.
 */
export function ensureOk(response: Response): Response;
/**
 * Resolves with the response if its status is below 400, and rejects with
 * {@linkcode HttpError} otherwise.
 *
 * @param response The promise of a response.
 * @returns The promise of the same response.
 */
export function ensureOk(response: PromiseLike<Response>): Promise<Response>;
export function ensureOk(
  response: Response | PromiseLike<Response>,
): Response | Promise<Response> {
  if ("then" in response) return Promise.resolve(response).then(refuseFailed);
  return refuseFailed(response);
}

function refuseFailed(response: Response): Response {
  if (response.status >= 400) throw new HttpError(response);
  return response;
}

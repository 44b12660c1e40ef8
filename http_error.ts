/**
 * Knows what a refused response looks like as an error.
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

/** The address without what may be secret: credentials and the query. */
function publicAddress(url: string): string {
  if (!URL.canParse(url)) return "";
  const address = new URL(url);
  address.username =
    address.password =
    address.search =
    address.hash =
      "";
  return address.href;
}

function describe(response: Response): string {
  const status = `${response.status} ${response.statusText}`.trim();
  const address = publicAddress(response.url);
  return address === "" ? status : `${status}: ${address}`;
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
  /** The response, its body unread. */
  readonly response: Response;
  /** The response's status, an integer from 400 to 599. */
  readonly status: number;
  /** The response's headers. */
  readonly headers: Headers;

  /**
   * Makes the error; its message is
   * `429 Too Many Requests: https://api.example.com/items`, without the
   * address's query string and credentials.
   *
   * @param response The refused response.
   */
  constructor(response: Response) {
    super(describe(response));
    this.response = response;
    this.status = response.status;
    this.headers = response.headers;
  }
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

/** Stand-in. */
export class RateLimitError extends Error {
  override name = "RateLimitError";
  readonly reason: string;
  readonly resumeAt: Date | undefined;
  constructor(
    message: string,
    init: { reason: string; resumeAt?: Date; cause?: unknown },
  ) {
    super(message, { cause: init.cause });
    this.reason = init.reason;
    this.resumeAt = init.resumeAt;
  }
}

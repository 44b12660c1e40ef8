/**
 * Knows every shape in which HTTP clients hand over headers, and makes
 * web-standard `Headers` of it.
 *
 * @module
 */

/**
 * Headers as any client has them: web-standard `Headers`, another iterable of
 * pairs (a `Map`, `AxiosHeaders`), or a plain object in any letter case whose
 * values are strings, numbers or arrays of these.
 */
export type HeadersLike =
  | Headers
  | Iterable<readonly [string, unknown]>
  | { readonly [name: string]: unknown };

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Copies what can stand in `Headers`; HTTP/2's `:status` and the like cannot. */
function copy(source: object): Headers {
  const headers = new Headers();
  const entries: Iterable<unknown> = Symbol.iterator in source
    ? source as Iterable<unknown>
    : Object.entries(source);
  for (const entry of entries) {
    if (!Array.isArray(entry) || !NAME.test(entry[0])) continue;
    for (const item of Array.isArray(entry[1]) ? entry[1] : [entry[1]]) {
      if (typeof item !== "string" && typeof item !== "number") continue;
      const value = String(item).trim();
      if (VALUE.test(value)) headers.append(entry[0], value);
    }
  }
  return headers;
}

/** Makes `Headers` of a client's headers; `undefined` for what is no object. */
export function toHeaders(source: unknown): Headers | undefined {
  if (source instanceof Headers) return source;
  return typeof source === "object" && source !== null
    ? copy(source)
    : undefined;
}

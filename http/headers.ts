/**
 * Headers in every shape in which HTTP clients hand them over, made
 * web-standard `Headers`.
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
    if (!Array.isArray(entry) || typeof entry[0] !== "string") continue;
    if (!NAME.test(entry[0])) continue;
    for (const item of Array.isArray(entry[1]) ? entry[1] : [entry[1]]) {
      if (typeof item !== "string" && typeof item !== "number") continue;
      const value = String(item).trim();
      if (VALUE.test(value)) headers.append(entry[0], value);
    }
  }
  return headers;
}

/**
 * Makes `Headers` of a client's headers; `undefined` for what is no object, or
 * one that cannot be read.
 */
export function toHeaders(source: unknown): Headers | undefined {
  if (typeof source !== "object" || source === null) return undefined;
  try {
    if (!(source instanceof Headers)) return copy(source);
    source.has("-"); // throws for a Proxy, which passes for an instance
    return source;
  } catch {
    return undefined; // cannot be read
  }
}

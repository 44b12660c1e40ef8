/**
 * Fields of values that anybody may have made: a getter may throw, a Proxy may
 * be revoked.
 *
 * @module
 */

import { HOLDERS, LINKS } from "./clients.ts";

/** A field, or `undefined` where there is none or it cannot be read. */
export function field(value: unknown, name: PropertyKey): unknown {
  if (value === undefined || value === null) return undefined;
  try {
    return (value as Record<PropertyKey, unknown>)[name];
  } catch {
    return undefined; // unreadable: as good as not there
  }
}

/** A field's text, or `""`. */
export function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}

/** Whether it is a `Response`, of this realm or of a package that has its own. */
export function isResponse(value: unknown): value is Response {
  return isObject(value) && (
    field(value, Symbol.toStringTag) === "Response" ||
    field(value, "constructor") === Response
  );
}

/** The items of an array, a hundred at most. */
export function items(value: unknown): readonly unknown[] {
  try {
    return Array.isArray(value) ? value.slice(0, 100) : [];
  } catch {
    return []; // a Proxy
  }
}

/** Whether it is an object, of any kind but a function. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** How many causes down an error is looked at; they may go in circles. */
const DEPTH = 3;

/** An error and what it says caused it, whatever its client calls that. */
export function causes(error: unknown): readonly object[] {
  const chain: object[] = [];
  let link = error;
  while (isObject(link) && chain.length <= DEPTH) {
    chain.push(link);
    // node-fetch warns of who asks its responses for `data`.
    link = isResponse(link) ? undefined : firstObject(link, LINKS);
  }
  return chain;
}

function firstObject(
  value: object,
  names: readonly string[],
): object | undefined {
  for (const name of names) {
    const found = field(value, name);
    if (isObject(found)) return found;
  }
  return undefined;
}

/** The error itself and what it holds of an answer: the response above all. */
export function holders(error: object): readonly object[] {
  const held = HOLDERS.map((name) => field(error, name));
  return [error, ...held.filter(isObject)];
}

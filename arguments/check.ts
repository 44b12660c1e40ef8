/**
 * Argument checks, all in one sentence shape: field, rule, value.
 *
 * @module
 */

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "function" || Object(value) === value
    ? Object.prototype.toString.call(value)
    : String(value);
}

function sentence(name: string, rule: string, value: unknown): string {
  return `Cannot retry as '${name}' must be ${rule}: current value is ${
    shown(value)
  }`;
}

/** Throws unless `value` has the type that `rule` describes. */
export function checkType(
  name: string,
  value: unknown,
  rule: string,
  holds: boolean,
): void {
  if (!holds) throw new TypeError(sentence(name, rule, value));
}

/** Throws unless `value` is a number, and one that `rule` allows. */
export function checkNumber(
  name: string,
  value: unknown,
  rule: string,
  holds: boolean,
): void {
  checkType(name, value, rule, typeof value === "number");
  if (!holds) throw new RangeError(sentence(name, rule, value));
}

/** Throws unless `value` is a function. */
export function checkFunction(name: string, value: unknown): void {
  checkType(name, value, "a function", typeof value === "function");
}

/** Throws unless `codes` is an array of HTTP statuses of failures. */
export function checkStatusCodes(name: string, codes: unknown): void {
  const rule = "an array of integers from 400 to 599";
  checkType(name, codes, rule, Array.isArray(codes));
  for (const [index, code] of (codes as unknown[]).entries()) {
    const valid = Number.isInteger(code) && code as number >= 400 &&
      code as number <= 599;
    checkNumber(`${name}[${index}]`, code, "an integer from 400 to 599", valid);
  }
}

/**
 * Throws unless `bag` is an object whose fields are all among `fields`; a field
 * of another bag is told where it belongs.
 */
export function checkFields(
  name: string,
  bag: object,
  fields: readonly string[],
  elsewhere?: Elsewhere,
): void {
  checkType(name, bag, "an object", typeof bag === "object");
  // The quickest of all loops over fields, which matters at every call.
  for (const field in bag) {
    if (!fields.includes(field) && Object.hasOwn(bag, field)) {
      const hint = elsewhere?.fields.includes(field)
        ? `; did you mean ${elsewhere.name}.${field}?`
        : "";
      throw new TypeError(
        `Cannot retry as '${name}' has no field '${field}': its fields are ${
          fields.join(", ")
        }${hint}`,
      );
    }
  }
}

/** A bag that is often taken for another one. */
export interface Elsewhere {
  readonly name: string;
  readonly fields: readonly string[];
}

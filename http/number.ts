/**
 * Decimal numbers in header values: stricter than `Number`, which also takes
 * hexadecimal, `Infinity` and nothing at all.
 *
 * @module
 */

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** A decimal number in the grammar of `float()`, less words and underscores. */
export function parseNumber(text: string): number | undefined {
  const number = Number(text);
  if (Number.isNaN(number)) return undefined;
  // `Number` takes more than this grammar, but not of what it would write itself.
  const plain = Number.isFinite(number) && String(number) === text;
  return plain || NUMBER.test(text) ? number : undefined;
}

/**
 * Lists of items with parameters, as of Structured Fields (RFC 9651) and of
 * the servers that write something near to it.
 *
 * @module
 */

/** One item of a list. */
export interface Item {
  /** What stands in front, quoted or not. */
  readonly name: string | undefined;
  /** The parameters, by their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** No answer tells of more limits. */
const MOST = 64;

/** A quoted string, a byte sequence or bare text, and what follows it. */
const TOKEN =
  /(?:\s*"((?:[^"\\]|\\.)*)"\s*|(\s*:[^:]*:\s*|[^",;=]*))([,;=]|$)/y;

/**
 * Reads `"hour";r=0;t=23, day;r=9`, `100;w=60, 5`, and the dictionary
 * `limit=100, remaining=0`, which is one item without a name. What is
 * malformed reads as nothing, as the RateLimit draft demands.
 */
export function parseList(text: string): readonly Item[] {
  // Most of the time it is a number.
  if (/^\d+$/.test(text)) return [{ name: text, parameters: NO_PARAMETERS }];
  const items: { name: string | undefined; parameters: Map<string, string> }[] =
    [];
  let name: string | undefined;
  let parameters = new Map<string, string>();
  let key: string | undefined;
  TOKEN.lastIndex = 0;
  for (;;) {
    const match = TOKEN.exec(text);
    if (!match) return [];
    const [, quoted, bare = "", mark] = match;
    const token = quoted?.replace(/\\(.)/g, "$1") ?? bare.trim();
    if (mark === "=") {
      if (key !== undefined) return [];
      key = token.toLowerCase();
    } else {
      if (key !== undefined) parameters.set(key, token);
      else if (name === undefined && parameters.size === 0) name = token;
      else if (token) parameters.set("", token);
      key = undefined;
    }
    if (mark === "," || !mark) {
      const last = items.at(-1);
      // A dictionary's members belong together, and are all different.
      const isMember = name === undefined && last && last.name === undefined &&
        ![...parameters.keys()].some((key) => last.parameters.has(key));
      if (isMember) {
        for (const [key, value] of parameters) last.parameters.set(key, value);
      } else if (name || parameters.size > 0) items.push({ name, parameters });
      name = undefined;
      parameters = new Map();
    }
    if (!mark || items.length === MOST) return items;
  }
}

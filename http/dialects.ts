/**
 * Rate limit headers of many APIs: the reader of all limits that one answer
 * tells. Which names mean what stands in `families.ts`.
 *
 * @module
 */

import { parseHttpDate } from "./date.ts";
import {
  type DialectRow,
  namesOf,
  type Role,
  ROLES,
  ROWS,
  UNITS,
} from "./families.ts";
import { parseNumber } from "./number.ts";
import { type Item, parseList } from "./structured.ts";
import { parseWait, secondsIn, type Wait } from "./wait.ts";

export { checkDialect, type DialectRow } from "./families.ts";

/** What one answer says of one limit. */
export interface LimitReading {
  /** Which limit: the same in every answer that tells of it. */
  readonly id: string;
  /** Requests in all, > 0. */
  readonly limit: number | undefined;
  /** Requests that are left, an integer >= 0. */
  readonly remaining: number | undefined;
  /**
   * Seconds from this answer until there are more; `undefined` where not told,
   * or in the past.
   */
  readonly reset: number | undefined;
  /**
   * What `reset` is rounded to, in seconds: 0, 1 or 60. Where only the length
   * of a short window is told, that length: it may be over before.
   */
  readonly precision: number;
  /** Whether `reset` was told as an instant. */
  readonly instant: boolean;
  /** Seconds that a window lasts. */
  readonly window: number | undefined;
  /** Requests per second that come back. */
  readonly rate: number | undefined;
  /** Whether it counts requests: else it closes at 0 and is not counted down. */
  readonly counted: boolean;
}

/** What a header's name tells. */
interface Match {
  readonly row: DialectRow;
  /** The row's place in the table. */
  readonly at: number;
  readonly role: Role;
  /** Which limit of the row it is about: what the stars stand for. */
  readonly called: string;
  /** Seconds in one of what a plain number counts. */
  readonly unit: number;
}

/** What one answer's headers say of one limit, before it is read. */
interface Group {
  readonly row: DialectRow;
  readonly at: number;
  readonly called: string;
  readonly fields: { [role in Role]?: Field };
}

interface Field {
  readonly text: string;
  readonly unit: number;
}

type Groups = ReadonlyMap<string, Group>;

/** Names that are remembered, so that they need not be compared again. */
const REMEMBERED = 500;
/** No header's name is longer. */
const LONGEST_NAME = 100;
/** The longest window, in seconds, whose end is guessed where it is not told. */
const GUESSED = 60;
/** Limits that are read from one answer. */
const MOST = 64;

/** What goes around what a limit is called. */
const AROUND =
  /^-+|-*(?:(?:in-)?sec(?:ond)?s|in-sec|ms|milliseconds|time(?:stamp)?|at|date|size)$|-+$/g;

type Pattern = readonly [string[], DialectRow, number, Role];

/** Rows, ready to be asked. */
class Table {
  readonly #patterns: readonly Pattern[];
  readonly #seen = new Map<string, Match | undefined>();

  constructor(rows: readonly DialectRow[]) {
    this.#patterns = rows.flatMap((row, at) =>
      ROLES.flatMap((role) =>
        namesOf(row[role]).map((
          name,
        ): Pattern => [name.split("*"), row, at, role])
      )
    );
  }

  match(name: string): Match | undefined {
    let match = this.#seen.get(name);
    if (match || this.#seen.has(name)) return match;
    if (name.length <= LONGEST_NAME) match = this.#find(name);
    if (this.#seen.size < REMEMBERED) this.#seen.set(name, match);
    return match;
  }

  #find(name: string): Match | undefined {
    for (const [parts, row, at, role] of this.#patterns) {
      const stars = starsOf(name, parts);
      if (!stars) continue;
      const called = stars.map((star) => star.replace(AROUND, ""))
        .filter(Boolean).join("/");
      const unit = /-m(?:illi)?s(?:econds)?$/.test(name)
        ? "milliseconds"
        : row.unit ?? "seconds";
      return { row, at, role, called, unit: UNITS[unit] };
    }
    return undefined;
  }
}

/** What the stars of a pattern stand for, in linear time. */
function starsOf(name: string, parts: readonly string[]): string[] | undefined {
  const stars: string[] = [];
  let end = 0;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]!;
    const at = index === 0
      ? 0
      : index === parts.length - 1
      ? name.length - part.length
      : name.indexOf(part, end);
    if (at < end || !name.startsWith(part, at)) return undefined;
    if (index > 0) stars.push(name.slice(end, at));
    end = at + part.length;
  }
  return end === name.length ? stars : undefined;
}

const tables = new WeakMap<readonly DialectRow[], Table>();

function tableOf(extra: readonly DialectRow[]): Table {
  let table = tables.get(extra);
  if (!table) tables.set(extra, table = new Table([...extra, ...ROWS]));
  return table;
}

const NONE: readonly DialectRow[] = [];

/**
 * All limits that an answer tells.
 *
 * @param headers The answer's headers.
 * @param now The client's clock, in milliseconds.
 * @param rows Rows that go before the module's own.
 */
export function readLimits(
  headers: Headers,
  now: number,
  rows: readonly DialectRow[] = NONE,
): readonly LimitReading[] {
  // 0 of 0 is how some say that there is no limit.
  return limitsOf(headers, groupsOf(headers, rows), now)
    .filter(({ limit }) => limit !== 0);
}

/**
 * How many seconds an answer asks to wait: by a header that says so, or else
 * until the last of the limits that are used up has more. `undefined` where
 * nothing usable is said.
 *
 * @param headers The answer's headers.
 * @param now The client's clock, in milliseconds.
 * @param rows Rows that go before the module's own.
 */
export function readDelay(
  headers: Headers,
  now: number,
  rows: readonly DialectRow[] = NONE,
): number | undefined {
  const groups = groupsOf(headers, rows);
  const present = serverNow(headers, now);
  let delay = 0;
  let from = Infinity;
  for (const { fields, at } of groups?.values() ?? []) {
    const wait = delayOf(fields.delay, present);
    // Rows above are more exact than those below.
    if (!(wait > 0) || at > from) continue;
    delay = at < from ? wait : Math.max(delay, wait);
    from = at;
  }
  if (delay > 0) return Math.min(delay, Number.MAX_VALUE);
  const resets = limitsOf(headers, groups, now)
    .filter(({ remaining, limit, reset }) =>
      remaining === 0 && (limit !== 0 || reset !== 0)
    )
    .flatMap(({ reset }) => reset ?? []);
  return resets.length > 0 ? Math.max(...resets) : undefined;
}

function delayOf(field: Field | undefined, now: number): number {
  if (!field) return 0;
  // Sentry's `60::organization`: the waits of some categories are not ours.
  const all = [...field.text.matchAll(/(?:^|,) ?(\d{1,9})::/g)];
  return all.length > 0
    ? Math.max(...all.map((match) => Number(match[1])))
    : parseWait(field.text.trim(), now, field.unit)?.seconds ?? 0;
}

/** The response's own clock where it has one: a wrong client clock does no harm. */
function serverNow(headers: Headers, now: number): number {
  // A cache's Date is as old as its Age (RFC 9111, section 4.2.3).
  const date = headers.has("age") ? null : headers.get("date");
  return date === null ? now : parseHttpDate(date, now) ?? now;
}

function groupsOf(
  headers: Headers,
  rows: readonly DialectRow[],
): Groups | undefined {
  const table = tableOf(rows);
  let groups: Map<string, Group> | undefined;
  // Several times as quick as `for` in Deno.
  headers.forEach((text, name) => {
    const match = table.match(name);
    if (!match || match.role === "ignored") return;
    const { row, at, role, called, unit } = match;
    const key = `${at}/${called}`;
    groups ??= new Map();
    let group = groups.get(key);
    if (!group) groups.set(key, group = { row, at, called, fields: {} });
    group.fields[role] ??= { text, unit };
  });
  return groups;
}

function limitsOf(
  headers: Headers,
  groups: Groups | undefined,
  now: number,
): readonly LimitReading[] {
  // What a cache has kept was told to somebody else (RateLimit draft).
  if (!groups || headers.has("age")) return [];
  const present = serverNow(headers, now);
  const limits = new Map<string, LimitReading>();
  for (const group of groups.values()) {
    if (group.fields.soft) continue;
    const waits = waitsOf(group, groups, present);
    for (const [index, told] of toldOf(group, present).entries()) {
      const limit = readingOf(told, group, waits[index]);
      if (!limit || limits.size === MOST) continue;
      // Two under the same name are two.
      while (limits.has(limit.id)) limit.id += "+";
      limits.set(limit.id, limit);
    }
  }
  const all = [...limits.values()];
  return all.length > 1 ? all.filter((limit) => !isEcho(limit, all)) : all;
}

/**
 * Whether another family of the same answer says it better: Kong repeats its
 * tightest limit without a suffix, Zendesk its only one.
 */
function isEcho(echo: LimitReading, all: readonly LimitReading[]): boolean {
  return echo.reset === undefined && echo.limit !== undefined &&
    all.some((limit) =>
      limit.limit === echo.limit && limit.remaining === echo.remaining &&
      limit.counted === echo.counted && limit.reset !== undefined
    );
}

/** When the limits of a group have more: one time for all, or each its own. */
function waitsOf(
  group: Group,
  groups: Groups,
  now: number,
): readonly (Wait | undefined)[] {
  const { row, at, called } = group;
  let { fields } = group;
  const isUp = /^0[.0]*$/.test(fields.remaining?.text ?? "");
  if (isUp && !fields.reset && !fields.after && called.includes("/")) {
    // Contentful: one time for whatever is used up.
    const above = called.slice(0, called.lastIndexOf("/"));
    fields = groups.get(`${at}/${above}`)?.fields ?? fields;
  }
  const { text = "", unit } = fields.after ?? fields.reset ?? {};
  const longest = fields.after ? undefined : row.longest;
  // A joined line; dates have commas of their own.
  const parts = /,/.test(text)
    ? text.match(/(?:\s*[a-z]+,)?[^,]+/gi) ?? []
    : [text];
  return parts.map((part) => parseWait(part.trim(), now, unit, longest));
}

/** What is said of one limit. */
interface Told {
  /** What it is called among those of its headers. */
  readonly name?: string | undefined;
  readonly limit?: number | undefined;
  readonly remaining: number | undefined;
  readonly wait?: Wait | undefined;
  readonly window?: number | undefined;
  readonly cost?: number | undefined;
  /** Whether it counts no requests. */
  readonly other?: boolean;
}

function toldOf({ fields }: Group, now: number): readonly Told[] {
  const { remaining, used, list, limit, policy } = fields;
  const whole = (list ?? limit)?.text ?? "";
  if (whole.startsWith("{")) return percentsOf(whole);
  const ratio = used?.text ?? whole;
  if (/\d\/\d/.test(ratio)) return ratiosOf(ratio);
  return [
    ...LISTED.test(whole) ? listOf(whole, policy?.text ?? "", now) : [],
    ...numbersOf(remaining?.text, used?.text, limit?.text ?? whole),
  ];
}

/** A parameter that tells what is left. */
const LISTED = /(?:^|[;, ])(?:r|a|remaining|sec) *=/i;

/** `7`; `2, 60`; `3;w=21600`; Azure's `Compute/GetVM3Min;197`; Riot's `20:1`. */
function numbersOf(
  remaining: string | undefined,
  used: string | undefined,
  limit: string,
): readonly Told[] {
  const limits = parseList(limit);
  const left = parseList(remaining ?? used ?? "");
  return left.map((item, index) => {
    const top = limits.length === left.length ? limits[index] : limits[0];
    const [total, window] = numberOf(top);
    const named = item.parameters.get("");
    const [told, span = window] = numberOf(item);
    return {
      name: named ? item.name : index ? `${index}` : undefined,
      limit: total ?? Number(remaining) + Number(used),
      remaining: named
        ? Number(named)
        : remaining === undefined
        ? total! - told!
        : told,
      window: span,
    };
  });
}

/** The number at the head of an item, and the seconds that it is said to be for. */
function numberOf(item: Item | undefined): (number | undefined)[] {
  if (!item) return [];
  const [number = "", window] = item.name?.split(/[:/ ]/) ?? [];
  return [
    parseNumber(number),
    parseNumber(window ?? item.parameters.get("w") ?? ""),
  ];
}

/** Shopify's `32/40`, Salesforce's `api-usage=25/5000; per-app-api-usage=3/9`. */
function ratiosOf(text: string): readonly Told[] {
  const ratios = text.matchAll(
    /(?:^|[;,] ?)(?:([\w-]{1,50})=)?(\d{1,15}(?:\.\d{1,9})?)\/(\d{1,15})(?![\d/])/g,
  );
  return [...ratios].map(([, name, used, limit]) => ({
    name,
    limit: Number(limit),
    remaining: Math.max(0, Number(limit) - Number(used)),
  }));
}

/** Meta's `{"call_count":28,"total_time":25}`, in percent; times in minutes. */
function percentsOf(text: string): readonly Told[] {
  const most = (name: string) => {
    const all = text.matchAll(new RegExp(`${name}": ?(\\d{1,9})`, "g"));
    return Math.max(...[...all].map((match) => Number(match[1])));
  };
  const seconds = most("regain_access") * 60;
  return [{
    limit: 100,
    remaining: Math.max(0, 100 - most("(?:_count|_cputime|_time|_pct)")),
    wait: seconds > 0 ? { seconds, precision: 60, instant: false } : undefined,
    other: true,
  }];
}

/** `"hour";r=9;t=40`, of the RateLimit draft in all of its forms. */
function listOf(text: string, policy: string, now: number): readonly Told[] {
  const items = parseList(text);
  const policies = parseList(policy);
  return items.flatMap((item) => {
    const first = (...names: string[]) =>
      names.map((name) => item.parameters.get(name)).find(Boolean) ?? "";
    const rule = policies.find(({ name }) => name === item.name) ??
      (policies.length === items.length ? policies[0] : undefined);
    const time = first("t", "w", "reset", "resets");
    const wait = parseWait(time, now);
    // Malformed: the draft wants it ignored.
    if (time && !wait) return [];
    const [limit, window] = numberOf(rule);
    const quota = first("q", "limit", "total") || rule?.parameters.get("q");
    const names = [item.name ?? first("b", "group"), first("pk")];
    return {
      name: names.filter(Boolean).join("/"),
      limit: parseNumber(quota ?? "") ?? limit,
      remaining: parseNumber(first("r", "a", "remaining", "sec")),
      wait,
      window,
      cost: parseNumber(first("c")),
      other: rule?.parameters.get("qu") === "content-bytes",
    };
  });
}

/** A reading, or none where the numbers say that there is no limit. */
function readingOf(
  told: Told,
  { row, called, fields }: Group,
  alike: Wait | undefined,
) {
  const { name = "", limit, remaining, wait = alike } = told;
  // -1 is how some say that there is no limit, or that they do not know it.
  if (!(remaining! >= 0 && remaining! < Infinity)) return undefined;
  const number = (role: Role) => parseNumber(fields[role]?.text ?? "");
  const cost = Math.max(told.cost ?? number("cost") ?? 1, 0) || 1;
  const words = `${called}/${name}`;
  const family = row.name ??
    namesOf(row.remaining ?? row.used ?? row.list)[0]?.replace(/\*/g, "");
  const length = typeof row.window === "number" ? row.window : fields.window &&
    parseWait(fields.window.text, 0, fields.window.unit)?.seconds;
  const window = length ?? told.window ?? windowNamed(words);
  const back = number("rate");
  const rate = back! > 0 ? back! / (length || 1) / cost : undefined;
  const isAhead = wait && wait.seconds >= 0 && wait.seconds < Infinity;
  // A short window ends at some time until then; an hour may be over soon.
  const guess = wait || rate || !(window! <= GUESSED) ? undefined : window;
  return {
    id: [family, called, fields.resource?.text, name].filter(Boolean)
      .join("/").slice(0, LONGEST_NAME),
    limit: limit! >= 0 && limit! < Infinity
      ? Math.floor(limit! / cost)
      : undefined,
    remaining: Math.floor(remaining! / cost),
    reset: isAhead ? wait.seconds : guess,
    precision: wait ? wait.precision : guess ?? 1,
    instant: wait?.instant ?? false,
    window,
    rate,
    counted: !told.other &&
      (row.counted ?? (cost !== 1 || !UNCOUNTED.test(words))),
  };
}

/** What counts something else than requests. */
const UNCOUNTED =
  /tokens|x-token|complexity|bytes|points|cost|units|credits|storage|concurren/;

/** The window that is in a limit's name: `daily`, `GetVMScaleSet3Min`, `1s`. */
const WINDOW =
  /(?:(\d{1,4}) ?|^|[^a-z0-9]|per|to)(sec|min|hour|day|dai|week|month)(?:ond|ute)?(?:s|ly)?(?![a-z])|(\d{1,4})([smhd])(?![a-z])/i;

function windowNamed(name: string): number | undefined {
  const [, long, word, short, letter] = WINDOW.exec(name) ?? [];
  const unit = word ?? letter;
  return unit === undefined
    ? undefined
    : Number(long ?? short ?? 1) * secondsIn(unit.toLowerCase())!;
}

/**
 * Rate limit headers of many APIs: the reader of all limits that one answer
 * tells. Which names mean what stands in `families.ts`.
 *
 * @module
 */

import { parseHttpDate } from "./date.ts";
import { type DialectRow, type Role, ROLES, ROWS } from "./families.ts";
import { parseNumber } from "./number.ts";
import { type Item, parseList } from "./structured.ts";
import { parseWait, type Wait } from "./wait.ts";

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
   * of the window is told, that length: it may be over at any time until then.
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
  readonly role: Role;
  /** Which row it is, as a number that orders them. */
  readonly index: number;
  /** Which limit of that row. */
  readonly group: string;
  /** Seconds in one of what a plain number counts. */
  readonly unit: number;
}

/** Names that are remembered, so that they need not be compared again. */
const REMEMBERED = 500;
/** No header's name is longer. */
const LONGEST_NAME = 100;
/** Limits that are read from one answer. */
const MOST = 64;

const SECONDS = { seconds: 1, milliseconds: 0.001, minutes: 60 };

/** What goes before and after what is told, and is no part of a limit's name. */
const AROUND =
  /^-+|-*(?:(?:in-)?sec(?:ond)?s|in-sec|ms|milliseconds|time(?:stamp)?|at|date|size)$|-+$/g;

/** Rows, ready to be asked. */
class Table {
  readonly #patterns:
    readonly (readonly [string[], DialectRow, Role, number])[];
  readonly #seen = new Map<string, Match | undefined>();

  constructor(rows: readonly DialectRow[]) {
    this.#patterns = rows.flatMap((row, index) =>
      ROLES.flatMap((role) =>
        [row[role] ?? []].flat()
          .filter((name) => typeof name === "string")
          .map((name) =>
            [name.toLowerCase().split("*"), row, role, index] as const
          )
      )
    );
  }

  match(name: string): Match | undefined {
    if (this.#seen.has(name)) return this.#seen.get(name);
    const match = name.length > LONGEST_NAME ? undefined : this.#find(name);
    if (this.#seen.size < REMEMBERED) this.#seen.set(name, match);
    return match;
  }

  #find(name: string): Match | undefined {
    for (const [pattern, row, role, index] of this.#patterns) {
      const stars = starsOf(name, pattern);
      if (!stars) continue;
      const told = stars.map((star) => star.replace(AROUND, ""));
      const unit = /-(?:ms|milliseconds)$/.test(name)
        ? 0.001
        : SECONDS[row.unit ?? "seconds"];
      const group = [index, ...told.filter(Boolean)].join("/");
      return { row, role, index, group, unit };
    }
    return undefined;
  }
}

/** What the stars of a pattern stand for, in linear time. */
function starsOf(
  name: string,
  [first = "", ...rest]: string[],
): string[] | undefined {
  const last = rest.pop();
  if (last === undefined) return name === first ? [] : undefined;
  if (!name.startsWith(first)) return undefined;
  const stars: string[] = [];
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return undefined;
    stars.push(name.slice(at, found));
    at = found + part.length;
  }
  if (!name.endsWith(last) || name.length - last.length < at) return undefined;
  stars.push(name.slice(at, name.length - last.length));
  return stars;
}

const tables = new WeakMap<readonly DialectRow[], Table>();

function tableOf(extra: readonly DialectRow[]): Table {
  let table = tables.get(extra);
  if (!table) tables.set(extra, table = new Table([...extra, ...ROWS]));
  return table;
}

/** What one answer's headers say of one limit, before it is read. */
interface Group {
  readonly id: string;
  readonly row: DialectRow;
  readonly index: number;
  readonly texts: { [role in Role]?: string };
  readonly units: { [role in Role]?: number };
}

type Groups = ReadonlyMap<string, Group>;

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
  const groups = groupsOf(headers, rows);
  // 0 of 0 is how some say that there is no limit.
  return groups
    ? limitsTold(headers, groups, now).filter(({ limit }) => limit !== 0)
    : [];
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
  if (!groups) return undefined;
  const present = serverNow(headers, now);
  let delay = 0;
  let from = Infinity;
  for (const { texts, units, index } of groups.values()) {
    const wait = waitOf(texts.delay ?? "", present, units.delay);
    if (!(wait > 0) || index > from) continue;
    delay = index < from ? wait : Math.max(delay, wait);
    from = index;
  }
  if (delay > 0) return Math.min(delay, Number.MAX_VALUE);
  const resets = limitsTold(headers, groups, now)
    // An hour that is over at any time tells nothing.
    .filter(({ remaining, precision, limit, reset }) =>
      remaining === 0 && precision <= 60 && (limit !== 0 || reset !== 0)
    )
    .flatMap(({ reset }) => reset ?? []);
  return resets.length > 0 ? Math.max(...resets) : undefined;
}

function waitOf(text: string, now: number, unit?: number): number {
  // Sentry's `60::organization`: the waits of some categories are not ours.
  const all = [...text.matchAll(/(?:^|,) ?(\d{1,9})::/g)];
  return all.length > 0
    ? Math.max(...all.map(([, seconds]) => Number(seconds)))
    : parseWait(text.trim(), now, unit)?.seconds ?? 0;
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
  for (const [name, text] of headers) {
    const match = table.match(name);
    if (!match || match.role === "ignored") continue;
    const { group: id, row, role, unit, index } = match;
    groups ??= new Map();
    let group = groups.get(id);
    if (!group) {
      groups.set(id, group = { id, row, index, texts: {}, units: {} });
    }
    group.texts[role] ??= text;
    group.units[role] ??= unit;
  }
  return groups;
}

function limitsTold(
  headers: Headers,
  groups: Groups,
  now: number,
): readonly LimitReading[] {
  // What a cache has kept was told to somebody else (RateLimit draft).
  if (headers.has("age")) return [];
  const present = serverNow(headers, now);
  const limits = new Map<string, LimitReading>();
  for (const group of groups.values()) {
    for (const facts of factsOf(group, groups, present)) {
      const limit = readingOf(facts, group);
      if (!limit || limits.size === MOST) continue;
      let { id } = limit;
      // Two under the same name are two.
      while (limits.has(id)) id += "+";
      limits.set(id, { ...limit, id });
    }
  }
  const all = [...limits.values()];
  return all.filter((limit) => !isEcho(limit, all));
}

/**
 * Whether another family of the same answer says it better: Kong repeats its
 * tightest limit without a suffix, Zendesk its only one.
 */
function isEcho(echo: LimitReading, all: readonly LimitReading[]): boolean {
  const isVague = ({ reset, precision }: LimitReading) =>
    reset === undefined || precision > 60;
  return isVague(echo) && echo.limit !== undefined &&
    all.some((limit) =>
      limit.limit === echo.limit && limit.remaining === echo.remaining &&
      limit.counted === echo.counted && !isVague(limit)
    );
}

/** What is known of a limit. */
interface Facts {
  /** What it is called among those of its headers. */
  readonly name?: string;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly wait?: Wait | undefined;
  readonly window?: number | undefined;
  readonly rate?: number | undefined;
  readonly cost?: number | undefined;
  readonly counted?: boolean | undefined;
}

function factsOf(group: Group, groups: Groups, now: number): readonly Facts[] {
  const { remaining, used, list, limit, soft } = group.texts;
  if (soft !== undefined) return [];
  const whole = list ?? limit ?? "";
  if (whole.startsWith("{")) return percentsOf(whole);
  const ratio = used ?? whole;
  if (/\d\/\d/.test(ratio)) return ratiosOf(group, ratio);
  const listed = LISTED.test(whole) ? listOf(group, whole, now) : [];
  const waits = resetsOf(group, groups, now);
  return [
    ...listed,
    ...numbersOf(group, remaining ?? used ?? "", limit ?? whole, waits),
  ];
}

/** A parameter that tells what is left. */
const LISTED = /(?:^|[;, ])(?:r|a|remaining|sec) *=/i;

/** `7`; `2, 60`; `3;w=21600`; Azure's `Compute/GetVM3Min;197`; Riot's `20:1`. */
function numbersOf(
  { row, texts, units }: Group,
  left: string,
  limit: string,
  waits: readonly (Wait | undefined)[],
): readonly Facts[] {
  const limits = parseList(limit);
  const used = parseNumber(texts.used ?? "");
  const length = typeof row.window === "number"
    ? row.window
    : parseWait(texts.window ?? "", 0, units.window)?.seconds;
  const rate = parseNumber(texts.rate ?? "");
  return parseList(left).map((item, index, { length: count }) => {
    const most = limits.length === count ? limits[index] : limits[0];
    const named = item.parameters.get("");
    const [told, span] = named ? [Number(named)] : numberOf(item);
    const [total] = most ? numberOf(most) : [];
    const remaining = texts.remaining === undefined ? total! - told! : told;
    return {
      name: named ? item.name! : index ? `${index}` : "",
      limit: total ?? told! + used!,
      remaining,
      wait: waits[index],
      window: length ?? span ?? (most && numberOf(most)[1]),
      rate: rate && rate / (length ?? 1),
      cost: parseNumber(texts.cost ?? ""),
    };
  });
}

/** The number at the head of an item, and the seconds that it is said to be for. */
function numberOf({ name = "", parameters }: Item): (number | undefined)[] {
  const [, number = "", window] = /^([^: ]*)(?:$| |:(\d+)$)/.exec(name) ?? [];
  return [
    parseNumber(number),
    parseNumber(window ?? parameters.get("w") ?? ""),
  ];
}

/** When the limits of a group have more: one time for all, or each its own. */
function resetsOf(
  group: Group,
  groups: Groups,
  now: number,
): readonly (Wait | undefined)[] {
  let from: Group | undefined = group;
  if (!group.texts.reset && /^[0.]+$/.test(group.texts.remaining ?? "")) {
    // Contentful: one time for whatever is used up.
    const above = group.id.slice(0, group.id.lastIndexOf("/"));
    if (!group.texts.after && above.includes("/")) from = groups.get(above);
  }
  if (!from) return [];
  const { texts, units, row } = from;
  const role = texts.after === undefined ? "reset" : "after";
  const longest = role === "reset" ? row.longest : undefined;
  // A joined line; dates have commas of their own.
  const parts = texts[role]?.match(/(?:\s*[a-z]+,)?[^,]+/gi) ?? [];
  return parts.map((part) => parseWait(part.trim(), now, units[role], longest));
}

/** Shopify's `32/40`, Salesforce's `api-usage=25/5000; per-app-api-usage=3/9`. */
function ratiosOf({ texts }: Group, text: string): readonly Facts[] {
  const ratios = text.matchAll(
    /(?:^|[;,] ?)(?:([\w-]{1,50})=)?(\d{1,15}(?:\.\d{1,9})?)\/(\d{1,15})(?![\d/])/g,
  );
  return [...ratios].map(([, name = "", used, limit]) => ({
    name,
    limit: Number(limit),
    remaining: Math.max(0, Number(limit) - Number(used)),
    rate: parseNumber(texts.rate ?? ""),
    cost: parseNumber(texts.cost ?? ""),
  }));
}

/** Meta's `{"call_count":28,"total_time":25}`, in percent; times in minutes. */
function percentsOf(text: string): readonly Facts[] {
  const all = (name: string) =>
    [...text.matchAll(new RegExp(`"${name}": ?(\\d{1,9})`, "g"))]
      .map((match) => Number(match[1]));
  const used = all("(?:call_count|total_cputime|total_time|acc_id_util_pct)");
  const minutes = Math.max(0, ...all("estimated_time_to_regain_access"));
  const seconds = minutes * 60;
  return used.length === 0 ? [] : [{
    limit: 100,
    remaining: Math.max(0, 100 - Math.max(...used)),
    wait: seconds ? { seconds, precision: 60, instant: false } : undefined,
    counted: false,
  }];
}

/** `"hour";r=9;t=40`, of the RateLimit draft in all of its forms. */
function listOf(
  { texts }: Group,
  text: string,
  now: number,
): readonly Facts[] {
  const items = parseList(text);
  const policies = parseList(texts.policy ?? "");
  return items.flatMap((item) => {
    const { parameters } = item;
    const first = (names: string, from = parameters) =>
      names.split(" ").map((name) => from.get(name))
        .find((value) => value !== undefined);
    const policy = policies.find((policy) => policy.name === item.name) ??
      (policies.length === items.length ? policies[0] : undefined);
    const time = first("t w reset resets");
    const wait = parseWait(time ?? "", now);
    // Malformed: the draft wants it ignored.
    if (time !== undefined && !wait) return [];
    const [limit, window] = policy ? numberOf(policy) : [];
    const names = [item.name ?? first("b group"), first("pk")];
    return {
      name: names.filter(Boolean).join(":"),
      limit: parseNumber(
        first("q limit total") ?? policy?.parameters.get("q") ?? "",
      ) ?? limit,
      remaining: parseNumber(first("r a remaining sec") ?? ""),
      wait,
      window,
      cost: parseNumber(first("c") ?? ""),
      counted: policy?.parameters.get("qu") === "content-bytes"
        ? false
        : undefined,
    };
  });
}

/** What counts something else than requests. */
const UNCOUNTED =
  /tokens|x-token|complexity|bytes|points|cost|units|credits|storage|concurren/;

/** Seconds in one of these. */
const WINDOWS: { readonly [name: string]: number } = {
  sec: 1,
  min: 60,
  hour: 3600,
  day: 86400,
  dai: 86400,
  week: 604800,
  month: 2592000,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
};

/** The window that is in a limit's name: `daily`, `GetVMScaleSet3Min`. */
function windowNamed(name: string): number | undefined {
  const [, count, unit] =
    /(?:^|[^a-z0-9]|per|to|(\d{1,4}) ?)(sec|min|hour|day|dai|week|month|[smhd])(?:ond|ute)?(?:s|ly)?(?![a-z])/i
      .exec(name) ?? [];
  // A letter alone is no word.
  return !unit || !count && unit.length === 1
    ? undefined
    : Number(count ?? 1) * WINDOWS[unit.toLowerCase()]!;
}

/** A reading, or none where the numbers say that there is no limit. */
function readingOf(facts: Facts, { id, row, texts }: Group) {
  const { name = "", limit, remaining, wait, rate } = facts;
  // -1 is how some say that there is no limit, or that they do not know it.
  if (!(remaining! >= 0 && remaining! < Infinity)) return undefined;
  const cost = facts.cost! > 0 ? facts.cost! : 1;
  const seconds = wait && wait.seconds >= 0 && wait.seconds < Infinity
    ? wait.seconds
    : undefined;
  const words = `${id.replace(/^\d+/, "")}/${name}`;
  const window = facts.window ?? windowNamed(words);
  // The window ends some time, but nobody says when.
  const guess = wait || rate ? undefined : window;
  return {
    id: [id, texts.resource, name].filter(Boolean).join(":"),
    limit: limit! >= 0 && limit! < Infinity
      ? Math.floor(limit! / cost)
      : undefined,
    remaining: Math.floor(remaining! / cost),
    reset: seconds ?? guess,
    precision: wait ? wait.precision : guess ?? 1,
    instant: wait?.instant ?? false,
    window,
    rate: rate! > 0 ? rate! / cost : undefined,
    counted: facts.counted ?? row.counted ??
      (cost !== 1 || !UNCOUNTED.test(words)),
  };
}

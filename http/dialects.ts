/**
 * Rate limit headers of many APIs: a table of header families, a row each, and
 * the reader of all limits that one answer tells.
 *
 * @module
 */

import { checkFields, checkType } from "../arguments/check.ts";
import { parseHttpDate } from "./date.ts";
import { parseNumber } from "./number.ts";
import { type Item, parseList } from "./structured.ts";
import { parseWait, type Wait } from "./wait.ts";

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

/** The name of a header in any letter case, or several of them. */
type Names = string | readonly string[];

/**
 * One family of rate limit headers: the names under which an API tells its
 * limits. A `*` in a name stands for any text, which becomes part of the
 * limit's name: `x-acme-*-left` tells of as many limits as there are such
 * headers. What is not named is not read; an unreadable value says nothing.
 *
 * @example An API of which the module knows nothing
 * ```ts
 * import type { DialectRow } from "@jarkdown/retry";
 *
 * // X-Acme-Search-Left: 3, X-Acme-Search-Wait: 1500
 * const row: DialectRow = {
 *   remaining: "x-acme-*-left",
 *   limit: "x-acme-*-quota",
 *   reset: "x-acme-*-wait",
 *   unit: "milliseconds",
 * };
 * ```
 */
export interface DialectRow {
  /** Requests that are left. */
  readonly remaining?: Names;
  /** Requests that were made, where those left are not told: goes with `limit`. */
  readonly used?: Names;
  /** Requests in all. */
  readonly limit?: Names;
  /** `used/limit` in one value, as Shopify's `32/40`. */
  readonly ratio?: Names;
  /**
   * When there are more: a time from now, an instant (Unix seconds, Unix
   * milliseconds, ISO 8601, HTTP-date, JavaScript's `toString`), or a duration
   * such as `6m0s`.
   */
  readonly reset?: Names;
  /** Likewise, but more exact: wins over `reset`. */
  readonly after?: Names;
  /** How long a window is, in a header, or in seconds if it is always the same. */
  readonly window?: Names | number;
  /** Requests that come back: in `window`, or in a second where none is told. */
  readonly rate?: Names;
  /** What this request took of `remaining`, where that is not 1. */
  readonly cost?: Names;
  /** Which of several limits under the same names it is (GitHub's `core`). */
  readonly resource?: Names;
  /**
   * A list of limits with parameters, as of the RateLimit draft:
   * `"hour";r=9;t=40, "day";r=800;t=4000`.
   */
  readonly list?: Names;
  /** What goes with `list`: `"hour";q=100;w=3600`. */
  readonly policy?: Names;
  /** Seconds to wait, as `Retry-After` tells them. */
  readonly delay?: Names;
  /** A header that says that used up means slowed down, not refused. */
  readonly soft?: Names;
  /** Headers that do not bind: they are not read, whatever other rows say. */
  readonly ignored?: Names;
  /**
   * What a plain number counts in `reset`, `after`, `window` and `delay`, unless
   * its header's name says so or it is so large that it is an instant.
   *
   * @default {"seconds"}
   */
  readonly unit?: "seconds" | "milliseconds" | "minutes";
  /** Seconds: a longer `reset` is taken for milliseconds. */
  readonly longest?: number;
  /**
   * Whether it counts requests. What counts tokens, points or bytes closes at
   * 0, but nobody knows how much the next request takes.
   *
   * @default {true}
   */
  readonly counted?: boolean;
}

/** The roles of headers, in the order in which names are compared. */
const ROLES = [
  "ignored",
  "soft",
  "resource",
  "delay",
  "cost",
  "rate",
  "window",
  "policy",
  "after",
  "ratio",
  "remaining",
  "used",
  "reset",
  "limit",
  "list",
] as const satisfies readonly (keyof DialectRow)[];
type Role = typeof ROLES[number];

/** The names that most of the world uses, around one word of theirs. */
function family(word: string, more: DialectRow = {}): DialectRow {
  const names = (...ends: string[]) => ends.map((end) => `*${word}${end}`);
  return {
    soft: names("-delay"),
    resource: names("-resource", "-bucket", "-name"),
    delay: names("*retry-after*"),
    cost: names("-requested-tokens"),
    rate: names("-fillrate", "-replenish-rate", "-rate"),
    window: names(
      "*interval",
      "*interval-ms",
      "*interval-milliseconds",
      "*interval-seconds",
      "*window",
    ),
    policy: names("*policy"),
    after: names("*reset-after*", "*reset-in*", "*resets-after*"),
    remaining: names("*remaining*"),
    used: names("*used*", "*observed*"),
    reset: names("*reset*"),
    limit: names("*limit*", "*max*", "*burst-capacity"),
    list: names("*"),
    ...more,
  };
}

/** First come, first served: what stands above takes its names from below. */
const ROWS: readonly DialectRow[] = [
  // Jira, Confluence: announced, not enforced.
  { ignored: "*beta-*" },
  // These are asked for by name.
  { ignored: ["retry-after", "retry-after-ms", "x-ms-retry-after-ms"] },
  { delay: "x-amz-retry-after", unit: "milliseconds" },
  { delay: "x-sentry-rate-limits" },
  { ratio: ["*call-limit", "sforce-limit-info"] },
  // Etsy
  {
    remaining: "x-remaining-this-second",
    limit: "x-limit-per-second",
    window: 1,
  },
  { remaining: "x-remaining-today", limit: "x-limit-per-day", window: 86400 },
  family("ratelimit"),
  // Prisjakt's milliseconds, under a name that others use for seconds.
  family("rate-limit", { longest: 86400 }),
  // Auth0, Azure Resource Graph
  family("quota"),
  // X
  family("-limit-24hour"),
  { delay: ["*retry-after*", "*retry-in"] },
];

/** What a header's name tells. */
interface Match {
  readonly row: DialectRow;
  readonly role: Role;
  /** Which limit of which row. */
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

/** Rows, ready to be asked. */
class Table {
  readonly #patterns:
    readonly (readonly [string[], DialectRow, Role, number])[];
  readonly #seen = new Map<string, Match | undefined>();

  constructor(rows: readonly DialectRow[]) {
    this.#patterns = rows.flatMap((row, index) =>
      ROLES.flatMap((role) => {
        const names = row[role];
        return typeof names === "number"
          ? []
          : [names ?? []].flat().map((name) =>
            [name.toLowerCase().split("*"), row, role, index] as const
          );
      })
    );
  }

  match(name: string): Match | undefined {
    const seen = this.#seen.get(name);
    if (seen !== undefined || this.#seen.has(name)) return seen;
    const match = name.length > LONGEST_NAME ? undefined : this.#find(name);
    if (this.#seen.size < REMEMBERED) this.#seen.set(name, match);
    return match;
  }

  #find(name: string): Match | undefined {
    for (const [pattern, row, role, index] of this.#patterns) {
      const stars = starsOf(name, pattern);
      if (!stars) continue;
      const told = stars.map((star) => star.replace(/^-+|-+$/g, ""))
        .filter(Boolean);
      const unit = /(?:^|-)(?:ms|millis\w*)$/.test(name)
        ? 0.001
        : row.unit === "milliseconds"
        ? 0.001
        : row.unit === "minutes"
        ? 60
        : 1;
      return { row, role, group: [index, ...told].join("/"), unit };
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
  readonly texts: { [role in Role]?: string };
  readonly units: { [role in Role]?: number };
}

/** An answer's limits and the waits that it asks for. */
interface Told {
  readonly limits: readonly LimitReading[];
  readonly delays: readonly number[];
}

const NONE: readonly DialectRow[] = [];
const NOTHING: Told = { limits: [], delays: [] };

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
  return read(headers, now, rows).limits.filter(({ limit }) => limit !== 0);
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
  const { limits, delays } = read(headers, now, rows);
  const asked = retryAfter(headers, now) || Math.max(0, ...delays);
  if (asked > 0) return asked;
  const resets = limits
    .filter(({ limit, remaining, reset, precision }) =>
      remaining === 0 && precision <= 60 && (limit !== 0 || reset !== 0)
    )
    .flatMap(({ reset }) => reset ?? []);
  return resets.length > 0 ? Math.max(...resets) : undefined;
}

/** Seconds by `retry-after`, the finer forms first; 0 where nothing is said. */
function retryAfter(headers: Headers, now: number): number {
  for (const name of ["retry-after-ms", "x-ms-retry-after-ms"]) {
    const wait = parseNumber(headers.get(name) ?? "")!;
    if (wait > 0 && wait < Infinity) return wait / 1000;
  }
  const text = headers.get("retry-after") ?? "";
  const seconds = parseNumber(text);
  if (seconds !== undefined) return Math.min(seconds, Number.MAX_VALUE);
  const present = serverNow(headers, now);
  return ((parseHttpDate(text, present) ?? present) - present) / 1000;
}

/** The response's own clock where it has one: a wrong client clock does no harm. */
export function serverNow(headers: Headers, now: number): number {
  // A cache's Date is as old as its Age (RFC 9111, section 4.2.3).
  const date = headers.has("age") ? null : headers.get("date");
  return date === null ? now : parseHttpDate(date, now) ?? now;
}

function read(
  headers: Headers,
  now: number,
  rows: readonly DialectRow[],
): Told {
  const table = tableOf(rows);
  let groups: Map<string, Group> | undefined;
  for (const [name, text] of headers) {
    const match = table.match(name);
    if (!match || match.role === "ignored") continue;
    groups ??= new Map();
    const { group: id, row, role, unit } = match;
    let group = groups.get(id);
    if (!group) groups.set(id, group = { id, row, texts: {}, units: {} });
    group.texts[role] ??= text;
    group.units[role] ??= unit;
  }
  // What a cache has kept was told to somebody else (RateLimit draft).
  if (!groups || headers.has("age")) return NOTHING;
  const present = serverNow(headers, now);
  const all = [...groups.values()];
  const limits = new Map<string, LimitReading>();
  for (const limit of all.flatMap((group) => limitsOf(group, all, present))) {
    let { id } = limit;
    // Two of the same name are two: what they say is kept apart.
    while (limits.has(id)) id += "'";
    if (limits.size < MOST) limits.set(id, { ...limit, id });
  }
  return {
    limits: withoutEchoes([...limits.values()]),
    delays: all.flatMap((group) => delaysOf(group, present)),
  };
}

function delaysOf({ texts: { delay }, units }: Group, now: number): number[] {
  if (delay === undefined) return [];
  return parts(delay).flatMap((part) => {
    // Sentry's `60::organization`: the waits of some categories are not ours.
    const [, seconds] = /^(\d+)::/.exec(part) ?? [];
    return (seconds === undefined
      ? parseWait(part, now, units.delay)?.seconds
      : +seconds) ?? [];
  });
}

/** The parts of a joined line, though dates have commas of their own. */
function parts(text: string): string[] {
  const found = text.match(/(?:\s*[a-z]+,)?[^,]+/gi) ?? [];
  return found.map((part) => part.trim());
}

function limitsOf(
  group: Group,
  all: readonly Group[],
  now: number,
): readonly LimitReading[] {
  const { texts, row } = group;
  if (texts.soft !== undefined) return [];
  if (texts.ratio !== undefined) return ratiosOf(group, texts.ratio);
  const listed = texts.list?.includes(";") || texts.list?.includes("=");
  const limit = texts.limit ?? (listed ? undefined : texts.list);
  const limits = listed ? listOf(group, texts.list!, now) : [];
  const left = parseList(texts.remaining ?? texts.used ?? "");
  if (left.length === 0) return limits;
  const id = texts.resource ? `${group.id}:${texts.resource}` : group.id;
  const most = parseList(limit ?? "");
  const resets = resetsOf(group, all, left.length, now);
  const window = typeof row.window === "number"
    ? row.window
    : parseWait(texts.window ?? "", now, group.units.window)?.seconds;
  const rate = parseNumber(texts.rate ?? "");
  const cost = parseNumber(texts.cost ?? "");
  return [
    ...limits,
    ...left.flatMap((item, index) => {
      // Azure's `Microsoft.Compute/GetVMScaleSet3Min;197` has a name as well.
      const named = item.parameters.get("");
      const told = named ? parseNumber(named) : numberOf(item);
      const top = most.length === left.length ? most[index]! : most[0];
      const total = top && numberOf(top);
      if (told === undefined) return [];
      const used = parseNumber(texts.used ?? "");
      const seconds = Number(
        item.parameters.get("w") ?? top?.parameters.get("w"),
      );
      return reading({
        id: named ? `${id}:${item.name}` : index ? `${id}#${index}` : id,
        limit: total ?? (used === undefined ? undefined : told + used),
        remaining: texts.remaining === undefined ? total! - told : told,
        wait: resets[index],
        window: window ?? (seconds || undefined),
        rate: rate && rate / (window ?? 1),
        cost,
        counted: row.counted ?? true,
        name: named ? item.name ?? "" : group.id,
      });
    }),
  ];
}

/** The number at the head of an item: `100;w=60`, `10.0`, and `100 per hour`. */
function numberOf({ name = "" }: Item): number | undefined {
  return parseNumber(name) ?? parseNumber(/^\d+(?= )/.exec(name)?.[0] ?? "");
}

/** When the limits of a group have more: one time for all, or each its own. */
function resetsOf(
  { id, row, texts, units }: Group,
  all: readonly Group[],
  count: number,
  now: number,
): readonly (Wait | undefined)[] {
  let role: "after" | "reset" = texts.after === undefined ? "reset" : "after";
  let text = texts[role];
  let unit = units[role];
  if (text === undefined && /^0*(\.0*)?$/.test(texts.remaining ?? "")) {
    // Contentful: one time for whatever is used up.
    const above = all.find((group) =>
      group.row === row && group.id.includes("/") &&
      id.startsWith(`${group.id}/`) &&
      group.texts.remaining === undefined
    );
    role = above?.texts.after === undefined ? "reset" : "after";
    text = above?.texts[role];
    unit = above?.units[role];
  }
  if (text === undefined) return [];
  const longest = role === "reset" ? row.longest : undefined;
  if (count === 1) return [parseWait(text, now, unit, longest)];
  return parts(text).map((part) => parseWait(part, now, unit, longest));
}

/** Shopify's `32/40`, Salesforce's `api-usage=25/5000; per-app-api-usage=3/9`. */
function ratiosOf({ id, row }: Group, text: string): readonly LimitReading[] {
  const ratios = text.matchAll(/(?:([\w-]{1,50})=)?(\d{1,15})\/(\d{1,15})/g);
  return [...ratios].flatMap(([, name = "", used, limit]) =>
    reading({
      id: `${id}:${name}`,
      limit: Number(limit),
      remaining: Number(limit) - Number(used),
      counted: row.counted ?? true,
      name,
    })
  );
}

/** The first of these parameters. */
function parameter({ parameters }: Item, ...names: string[]) {
  for (const name of names) {
    const value = parameters.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `"hour";r=9;t=40`, of the RateLimit draft in all of its forms. */
function listOf(
  group: Group,
  text: string,
  now: number,
): readonly LimitReading[] {
  const items = parseList(text);
  const policies = parseList(group.texts.policy ?? "");
  return items.flatMap((item) => {
    const name = item.name ?? item.parameters.get("b") ?? "";
    const policy = policies.find((policy) => policy.name === item.name) ??
      (policies.length === 1 && items.length === 1 ? policies[0] : undefined);
    const told = parameter(item, "r", "a", "remaining", "");
    const left = parseNumber(told ?? "");
    const time = parameter(item, "t", "w", "reset", "resets");
    const wait = parseWait(time ?? "", now);
    // Malformed: the draft wants it ignored.
    if (left === undefined || time !== undefined && !wait) return [];
    const limit = parameter(item, "q", "limit", "total") ??
      policy?.parameters.get("q") ?? policy?.name;
    const units = policy?.parameters.get("qu");
    const key = item.parameters.get("pk");
    return reading({
      id: [group.id, name, ...key ? [key] : []].join(":"),
      limit: parseNumber(limit ?? ""),
      remaining: left,
      wait,
      window: parseNumber(policy?.parameters.get("w") ?? ""),
      cost: parseNumber(item.parameters.get("c") ?? ""),
      counted: (group.row.counted ?? true) && !units?.includes("bytes"),
      name: name || group.id,
    });
  });
}

/** What counts something else than requests. */
const UNCOUNTED = /tokens|complexity|bytes|points|cost|units|credits|concurren/;

/** Seconds in one of these. */
const WINDOWS: { readonly [name: string]: number } = {
  sec: 1,
  min: 60,
  hour: 3600,
  day: 86400,
  dai: 86400,
  week: 604800,
  month: 2592000,
};

/** The window that is in a limit's name: `daily`, `GetVMScaleSet3Min`. */
function windowNamed(name: string): number | undefined {
  const [, count, unit] =
    /(?:^|[^a-z0-9]|\D(\d{1,4}) ?)(sec|min|hour|day|dai|week|month)(?:ond|ute)?(?:s|ly)?(?![a-z])/i
      .exec(name) ?? [];
  return unit ? Number(count ?? 1) * WINDOWS[unit.toLowerCase()]! : undefined;
}

/** What is known of a limit. */
interface Facts {
  readonly id: string;
  readonly limit: number | undefined;
  readonly remaining: number;
  readonly wait?: Wait | undefined;
  readonly window?: number | undefined;
  readonly rate?: number | undefined;
  readonly cost?: number | undefined;
  readonly counted: boolean;
  /** What the limit is called, where that says anything. */
  readonly name: string;
}

/** One reading, or none where the numbers say that there is no limit. */
function reading(facts: Facts): readonly LimitReading[] {
  const { id, limit, remaining, wait, rate, name } = facts;
  const cost = facts.cost! > 0 ? facts.cost! : 1;
  // -1 is how some say that there is no limit, or that they do not know it.
  if (!(remaining >= 0 && remaining < Infinity)) return [];
  const window = facts.window ?? windowNamed(name);
  const told = wait && wait.seconds >= 0 && wait.seconds < Infinity;
  // The window ends some time, but nobody says when.
  const guess = wait || rate ? undefined : window;
  return [{
    id,
    limit: limit! >= 0 && limit! < Infinity
      ? Math.floor(limit! / cost)
      : undefined,
    remaining: Math.floor(remaining / cost),
    reset: told ? wait.seconds : guess,
    precision: told ? wait.precision : guess ?? 1,
    instant: told ? wait.instant : false,
    window,
    rate: rate! > 0 ? rate! / cost : undefined,
    counted: facts.counted && (cost !== 1 || !UNCOUNTED.test(name)),
  }];
}

/**
 * Leaves out what another family of the same answer says better: Kong repeats
 * its tightest limit without a suffix, Zendesk its only one.
 */
function withoutEchoes(limits: readonly LimitReading[]): LimitReading[] {
  const isVague = ({ reset, precision }: LimitReading) =>
    reset === undefined || precision > 60;
  return limits.filter((echo) =>
    !isVague(echo) || echo.limit === undefined ||
    !limits.some((limit) =>
      limit.limit === echo.limit && limit.remaining === echo.remaining &&
      limit.counted === echo.counted && !isVague(limit)
    )
  );
}

const FIELDS = [...ROLES, "unit", "longest", "counted"] as const;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const SOURCES: readonly (keyof DialectRow)[] = [
  "remaining",
  "used",
  "ratio",
  "list",
  "delay",
  "ignored",
];

/**
 * Throws unless `rows` can be read.
 *
 * @throws {TypeError} That names the field, the rule and the value.
 */
export function checkDialect(rows: unknown): void {
  checkType("dialect", rows, "an array of rows", Array.isArray(rows));
  for (const [index, row] of (rows as unknown[]).entries()) {
    checkRow(`dialect[${index}]`, row);
  }
}

function checkRow(at: string, row: unknown): void {
  const isObject = typeof row === "object" && row !== null;
  checkType(at, row, "an object with names of headers", isObject);
  const fields = row as { readonly [name: string]: unknown };
  checkFields(at, fields, FIELDS);
  for (const role of ROLES) {
    const value = fields[role];
    if (value === undefined) continue;
    if (role === "window" && typeof value === "number") {
      const rule = "a header's name, or a finite number of seconds > 0";
      checkType(`${at}.${role}`, value, rule, value > 0 && value < Infinity);
      continue;
    }
    for (const name of Array.isArray(value) ? value : [value]) {
      const valid = typeof name === "string" && HEADER_NAME.test(name);
      checkType(`${at}.${role}`, name, "a header's name", valid);
    }
  }
  const { unit, longest, counted, used, limit } = fields;
  const units = [undefined, "seconds", "milliseconds", "minutes"];
  const rule = '"seconds", "milliseconds" or "minutes"';
  checkType(`${at}.unit`, unit, rule, units.includes(unit as string));
  checkType(
    `${at}.longest`,
    longest,
    "a number of seconds > 0",
    longest === undefined || typeof longest === "number" && longest > 0,
  );
  checkType(
    `${at}.counted`,
    counted,
    "a boolean",
    counted === undefined || typeof counted === "boolean",
  );
  checkType(
    `${at}.limit`,
    limit,
    "given together with 'used'",
    used === undefined || limit !== undefined || fields.remaining !== undefined,
  );
  checkType(
    at,
    row,
    `a row with one of ${SOURCES.join(", ")}`,
    SOURCES.some((field) => fields[field] !== undefined),
  );
}

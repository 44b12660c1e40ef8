/**
 * Families of rate limit headers: the table of the names under which APIs tell
 * their limits, a row each.
 *
 * @module
 */

import { checkFields, checkType } from "../arguments/check.ts";

/**
 * One family of rate limit headers: the names under which an API tells its
 * limits. A `*` in a name stands for any text, which becomes part of the
 * limit's name: `x-acme-*-left` tells of as many limits as there are such
 * headers. Names are written in any letter case, one or several of them. What
 * is not named is not read; an unreadable value says nothing.
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
  /**
   * What its limits are called in `limiter.state`, in front of what the stars
   * stand for.
   *
   * @default {the first header's name}
   */
  readonly name?: string;
  /** Requests that are left: `7`, or one number for each limit: `2, 60`. */
  readonly remaining?: string | readonly string[];
  /**
   * Requests that were made, where those left are not told: goes with `limit`,
   * or tells it as well, as Shopify's `32/40`.
   */
  readonly used?: string | readonly string[];
  /** Requests in all. */
  readonly limit?: string | readonly string[];
  /**
   * When there are more: a time from now, an instant (Unix seconds, Unix
   * milliseconds, ISO 8601, HTTP-date, JavaScript's `toString`), or a duration
   * such as `6m0s`.
   */
  readonly reset?: string | readonly string[];
  /** Likewise, but more exact: wins over `reset`. */
  readonly after?: string | readonly string[];
  /** How long a window is, in a header, or in seconds if it is always the same. */
  readonly window?: string | readonly string[] | number;
  /** Requests that come back: in `window`, or in a second where none is told. */
  readonly rate?: string | readonly string[];
  /** What this request took of `remaining`, where that is not 1. */
  readonly cost?: string | readonly string[];
  /** Which of several limits under the same names it is (GitHub's `core`). */
  readonly resource?: string | readonly string[];
  /**
   * Limits with parameters, as of the RateLimit draft:
   * `"hour";r=9;t=40, "day";r=800;t=4000`.
   */
  readonly list?: string | readonly string[];
  /** What goes with `list`: `"hour";q=100;w=3600`. */
  readonly policy?: string | readonly string[];
  /** A time to wait, as `Retry-After` tells it, in any form that `reset` has. */
  readonly delay?: string | readonly string[];
  /** A header that says that used up means slowed down, not refused. */
  readonly soft?: string | readonly string[];
  /** Headers that do not bind: they are not read, whatever rows below say. */
  readonly ignored?: string | readonly string[];
  /**
   * What a plain number counts in `reset`, `after`, `window` and `delay`, unless
   * its header's name says so or it is so large that it is an instant.
   *
   * @default {"seconds"}
   */
  readonly unit?: "seconds" | "milliseconds" | "minutes";
  /** Seconds: a larger plain number in `reset` is taken for milliseconds. */
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
export const ROLES = [
  "ignored",
  "soft",
  "resource",
  "delay",
  "cost",
  "rate",
  "window",
  "policy",
  "after",
  "remaining",
  "used",
  "reset",
  "limit",
  "list",
] as const satisfies readonly (keyof DialectRow)[];
export type Role = typeof ROLES[number];

/** A role's names, in lower case. */
export function namesOf(names: DialectRow["window"]): string[] {
  return [names ?? []].flat().filter((name) => typeof name === "string")
    .map((name) => name.toLowerCase());
}

/** Seconds in one of these. */
export const UNITS = { seconds: 1, milliseconds: 0.001, minutes: 60 };

/** How most of the world ends its names, or goes on in them (`*`). */
const ENDS: readonly (readonly [Role, string])[] = [
  // Dataverse's is a time of work.
  ["ignored", "*time-remaining*"],
  ["soft", "-delay"], // Azure DevOps
  ["resource", "-resource -bucket -name -group"],
  ["delay", "*retry-after* *wait*"],
  ["cost", "-requested-tokens -used-currentrequest"], // Spring, Freshdesk
  ["rate", "-fillrate -replenish-rate -rate"], // Jira, Spring, restify
  ["window", "*interval* *window* *period*"],
  ["policy", "*policy"],
  [
    "after",
    "*reset-after* *resets-after *reset-in *resets-in *remaining-seconds",
  ],
  ["remaining", "*remaining* *remain *available* *left*"],
  ["used", "*used* *usage* *observed *consumed* *current *count"],
  ["reset", "*reset* *expiry* *next"],
  [
    "limit",
    "*limit* *max* *total* *allowed *allotted *quota* -burst-capacity *capacity*",
  ],
  ["list", "*"],
];

/** The names that most of the world uses, around one word of theirs. */
function family(word: string, more: DialectRow = {}): DialectRow {
  const names = ENDS.map(([role, ends]) =>
    [role, ends.split(" ").map((end) => `*${word}${end}`)] as const
  );
  return { name: word, ...Object.fromEntries(names), ...more };
}

/** First come, first served: what stands above takes its names from below. */
export const ROWS: readonly DialectRow[] = [
  { ignored: "*beta-*" }, // Jira and Confluence announce, but do not enforce
  { delay: "retry-after-ms" }, // OpenAI
  { delay: "x-ms-retry-after-ms" }, // Azure
  { delay: "retry-after" }, // RFC 9110, section 10.2.3
  { delay: "x-amz-retry-after", unit: "milliseconds" },
  // Sentry, Feishu, Toobit
  {
    delay: [
      "x-sentry-rate-limits",
      "x-ogw-ratelimit-reset",
      "x-api-limit-reset-timestamp",
    ],
  },
  // Etsy
  {
    remaining: "x-remaining-this-second",
    limit: "x-limit-per-second",
    window: 1,
  },
  { remaining: "x-remaining-today", limit: "x-limit-per-day", window: 86400 },
  // BigCommerce
  {
    remaining: "x-rate-limit-requests-left",
    limit: "x-rate-limit-requests-quota",
    reset: "x-rate-limit-time-reset-ms",
  },
  // Bybit
  {
    remaining: "x-bapi-limit-status",
    limit: "x-bapi-limit",
    reset: "x-bapi-limit-reset-timestamp",
  },
  // Gate
  {
    remaining: "x-gate-ratelimit-requests-remain",
    limit: "x-gate-ratelimit-limit",
    reset: "x-gate-ratelimit-reset-timestamp",
  },
  // football-data.org
  {
    remaining: "x-requests-available-minute",
    reset: "x-requestcounter-reset",
  },
  // Walmart
  { remaining: "x-current-token-count", reset: "x-next-replenishment-time" },
  // KuCoin
  {
    remaining: "gw-ratelimit-remaining",
    limit: "gw-ratelimit-limit",
    reset: "gw-ratelimit-reset",
    unit: "milliseconds",
  },
  // Lightspeed
  {
    used: "x-ls-api-bucket-level",
    rate: "x-ls-api-drip-rate",
    cost: "x-ls-api-request-cost",
  },
  { used: "api-key-use-limit", limit: "api-key-max-limit" }, // CoinGlass
  { list: "remaining-req" }, // Upbit
  // Cohere
  { remaining: "x-*-call-remaining", limit: "x-*-call-limit" },
  // Twelve Data
  { remaining: "*credits-left", used: "*credits-used", counted: false },
  // Mashery
  { used: "x-*-qps-current", limit: "x-*-qps-allotted", window: 1 },
  family("ratelimit"),
  // Prisjakt tells milliseconds under a name that others use for seconds.
  family("rate-limit", { longest: 86400 }),
  family("quota", { window: [] }), // Auth0, Azure Resource Graph, Gravitee
  family("throttle", { window: [] }), // Keap
  // Aircall
  {
    remaining: "*api-remaining",
    used: "*api-usage",
    limit: "*api-limit",
    reset: "*api-reset",
  },
  family("limit", { used: [] }), // X, Xero, Pushover, DocuSign, Shopify, Salesforce
  // The Odds API, Pipedrive
  {
    remaining: ["x-*requests-remaining", "x-*requests-left"],
    used: "x-*requests-used",
  },
  // Meta
  {
    list: [
      "x-app-usage",
      "x-page-usage",
      "x-ad-account-usage",
      "x-business-use-case-usage",
    ],
  },
  { delay: ["*retry-after*", "*retry-in", "*wait-seconds"] },
];

const FIELDS = ["name", ...ROLES, "unit", "longest", "counted"] as const;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const SOURCES: readonly (keyof DialectRow)[] = [
  "remaining",
  "used",
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
  const { name, unit, longest, counted } = fields;
  const isName = name === undefined || typeof name === "string";
  checkType(`${at}.name`, name, "a string", isName);
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
    at,
    row,
    `a row with one of ${SOURCES.join(", ")}`,
    SOURCES.some((field) => fields[field] !== undefined),
  );
}

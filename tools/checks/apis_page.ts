/**
 * The text of `docs/apis.md`, made of the table of header families and of its
 * cases.
 *
 * @module
 */

import { readDelay, readLimits } from "../../http/dialects.ts";
import {
  type Answer,
  type Api,
  APIS,
  WHEN,
} from "../../http/dialects_cases.ts";
import {
  type DialectRow,
  namesOf,
  type Role,
  ROWS,
} from "../../http/families.ts";

const ABOUT = `# The APIs whose rate limit headers are read

What a limiter and a retry know of an answer without being told anything. Each
line is tried by a test on an answer as the API's documentation shows it
(\`http/dialects_cases.ts\`); with an asterisk, as it is known to be and not seen
there. Other APIs that use the same names are read as well.

Not read, on purpose:

- what an answer says that comes out of a cache (\`age\`);
- \`-1\` of anything, and 0 of 0, with which some say that there is no limit;
- headers that announce and do not bind (\`Beta-RateLimit\`);
- a time that is over;
- how many tokens, points or bytes a request will take: such a limit closes the
  limiter at 0, and is not counted down;
- bodies. Who finds the wait there throws it:
  \`throw Object.assign(error, { retryAfter: seconds })\`.

A number in a reset is seconds from now, Unix seconds or Unix milliseconds, by its
size. Milliseconds from now are read where the header's name or the table says
so. Where a wait and an instant are told, the wait counts; instants are measured
by the answer's own \`Date\`.

One \`RateLimiter\` keeps one state for each limit that an answer names, and goes
on when all of them allow it. Where an API has limits for each resource, give
each resource a limiter of its own, or a search that is used up holds back
everything: \`createFetch({ limiter: (request) => ... })\`.

An API that is not here, or that uses a common name in another unit, is a row:

\`\`\`ts ignore
new RateLimiter({
  dialect: [{ remaining: "x-acme-left", reset: "x-acme-wait", unit: "milliseconds" }],
});
\`\`\`
`;

/** In what form a time is written. */
function formOf(name: string, value: string): string {
  if (
    !/reset|next|expir|after|wait|retry|interval|window|period|-time/i.test(
      name,
    )
  ) {
    return "";
  }
  if (/^\d{13}$/.test(value)) return " (Unix ms)";
  if (/^\d{10}(\.\d+)?$/.test(value)) return " (Unix s)";
  if (/^[\d.]+$/.test(value)) {
    return /-m(illi)?s(econds)?$/i.test(name) ? " (ms)" : " (s)";
  }
  if (/^\d{4}-/.test(value)) return " (ISO 8601)";
  if (/GMT/.test(value)) return " (date)";
  return /^\d/.test(value) ? " (duration)" : "";
}

function told(headers: Record<string, string>): string {
  const all = new Headers(headers);
  return JSON.stringify([readLimits(all, WHEN), readDelay(all, WHEN)]);
}

/** The headers that make a difference. */
function readOf({ headers }: Answer): [string, string][] {
  const whole = told(headers);
  return Object.entries(headers).filter(([name]) => {
    const { [name]: _, ...others } = headers;
    return told(others) !== whole;
  });
}

function lineOf({ name, source, unseen, set = "", answers }: Api): string {
  const forms = new Map<string, string>();
  for (const answer of answers) {
    for (const [header, value] of readOf(answer)) {
      const key = header.toLowerCase();
      if (!forms.has(key)) {
        forms.set(key, `\`${header}\`${formOf(header, value)}`);
      }
    }
  }
  const headers = [...forms.values()].join(", ") || "none";
  return `| [${name}](${source})${
    unseen ? " \\*" : ""
  } | ${headers} | ${set} |`;
}

/** What the roles of a row mean, in the order of the table. */
const COLUMNS: readonly (readonly [string, readonly Role[]])[] = [
  ["left, or used", ["remaining", "used", "list"]],
  ["in all", ["limit", "policy"]],
  ["when there is more", ["after", "reset", "delay", "window", "rate"]],
  ["else", ["resource", "cost", "soft", "ignored"]],
];

function cell(row: DialectRow, roles: readonly Role[]): string {
  return roles.flatMap((role) => namesOf(row[role]))
    .map((name) => `\`${name}\``).join(", ");
}

function rowOf(row: DialectRow): string {
  const unit = row.unit === undefined ? "" : ` (in ${row.unit})`;
  const cells = COLUMNS.map(([title, roles]) =>
    cell(row, roles) + (title.startsWith("when") ? unit : "")
  );
  return `| ${cells.join(" | ")} |`;
}

/** The page. */
export function apisPage(): string {
  return [
    ABOUT,
    "## API by API\n",
    "| API | headers that are read | what to set |",
    "| --- | --- | --- |",
    ...APIS.map(lineOf),
    "\n## The table\n",
    "The first row that has a header's name takes it; `*` stands for any text, which",
    "becomes part of the limit's name.\n",
    `| ${COLUMNS.map(([title]) => title).join(" | ")} |`,
    `| ${COLUMNS.map(() => "---").join(" | ")} |`,
    ...ROWS.map(rowOf),
    "",
  ].join("\n");
}

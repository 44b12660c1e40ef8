// deno-lint-ignore-file no-console
/**
 * A bulk export: the issues that a JQL query finds, as Markdown files, by many
 * workers, from a Jira that refuses, hangs up and stalls.
 *
 *     deno task demo                      # against an embedded server
 *     JIRA_EMAIL=... JIRA_TOKEN=... deno task demo \
 *       --url https://example.atlassian.net --jql "project = DEMO" --out issues
 *
 * @module
 */

import { pooledMap } from "@std/async/pool";
// @ts-types="npm:@types/cli-progress@3.11.6"
import { Presets, SingleBar } from "cli-progress";
import { access, constants, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  ensureOk,
  type Failure,
  HttpError,
  RateLimiter,
  type RetryEvent,
  retryWithBackoff,
} from "../mod.ts";
import { type JiraIssue, toMarkdown } from "./jira_markdown.ts";
import type { ServerReady, ServerSettings } from "./jira_server.ts";

const HELP = `Exports Jira issues to Markdown files.

  --url URL        the Jira site; without it, an embedded server
  --jql QUERY      which issues (default: order by key)
  --out FOLDER     where to (default: a new temporary folder)
  --workers N      how many at once (default: 16)
  --no-limiter     let every worker find the rate limit by itself
  --no-compare     leave out the second run, which does so on the embedded server
  --seed N         seed of the embedded server (default: 1)

JIRA_TOKEN is sent to --url: with JIRA_EMAIL as an API token of Jira Cloud,
without it as a personal access token.`;

/** What cannot be done as it was asked for: one line, and exit code 2. */
function refuse(line: string): never {
  console.error(line);
  process.exit(2);
}

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: "string" },
        jql: { type: "string", default: "order by key" },
        out: { type: "string" },
        workers: { type: "string", default: "16" },
        "no-limiter": { type: "boolean", default: false },
        "no-compare": { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (error) {
    refuse(`${error instanceof Error ? error.message : error}`);
  }
}

const flags = readFlags();
if (flags.help) {
  console.log(HELP);
  process.exit(0);
}
const workers = Number(flags.workers);
if (!Number.isInteger(workers) || workers < 1) {
  refuse(`--workers must be an integer >= 1: it is ${flags.workers}`);
}
const seed = Number(flags.seed);
if (!Number.isInteger(seed) || seed < 0) {
  refuse(`--seed must be an integer >= 0: it is ${flags.seed}`);
}
if (flags.url !== undefined && !/^https?:$/.test(protocolOf(flags.url))) {
  refuse(`--url must be an http or https address: it is ${flags.url}`);
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : "";
}

/** One signal for everything: Ctrl-C aborts every request and every wait. */
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
}

/** One run of the export, and what happened, for the summary. */
class Run {
  /** Where the REST API is, with a slash at the end. */
  readonly site: string;
  /** What one worker learns of the rate limit, all obey. */
  readonly limiter: RateLimiter | undefined;
  readonly progress: Progress;
  found = 0;
  exported = 0;
  requests = 0;
  refused = 0;
  waited = 0;
  seconds = 0;
  readonly retries = new Map<string, number>();
  readonly failures = new Map<string, unknown>();

  constructor(site: string, shared: boolean) {
    this.site = site.endsWith("/") ? site : `${site}/`;
    this.progress = showProgress();
    this.limiter = shared
      ? new RateLimiter({
        onEvent: (event) => {
          if (event.type === "outage") {
            this.progress.note(`the server is down, ${event.waiting} wait`);
          } else if (event.type === "paused" && event.seconds > 1) {
            const { reason, seconds } = event;
            this.progress.note(`paused for ${seconds.toFixed(1)} s: ${reason}`);
          }
        },
      })
      : undefined;
  }

  countRetry(event: RetryEvent, what: string): void {
    const { attempt, delay, failure } = event;
    this.waited += delay;
    const kind = kindOf(failure);
    this.retries.set(kind, (this.retries.get(kind) ?? 0) + 1);
    const wait = `again in ${delay.toFixed(1)} s`;
    this.progress.note(
      `${what}, attempt ${attempt}: ${tell(failure)}, ${wait}`,
    );
  }
}

function kindOf({ kind, status }: Failure): string {
  return kind === "status" ? `HTTP ${status}` : kind;
}

/** The kind, and the cause where it is not one with it. */
function tell(failure: Failure): string {
  const { cause } = failure.error as { cause?: unknown };
  const kind = kindOf(failure);
  return failure.kind === "network"
    ? `${kind} (${messageOf(cause ?? failure.error)})`
    : kind;
}

/** What it says; of Deno's chain of causes, the last. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^error sending request .*: /, "");
}

function authorization(): Record<string, string> {
  const { JIRA_EMAIL, JIRA_TOKEN } = process.env;
  if (!flags.url || !JIRA_TOKEN) return {};
  return {
    authorization: JIRA_EMAIL
      ? `Basic ${btoa(`${JIRA_EMAIL}:${JIRA_TOKEN}`)}`
      : `Bearer ${JIRA_TOKEN}`,
  };
}

const headers = { accept: "application/json", ...authorization() };

/** Every request of the export goes through here. */
function getJson<T>(
  run: Run,
  what: string,
  path: string,
  totalTimeout?: number,
): Promise<T> {
  const { limiter, site } = run;
  return retryWithBackoff(async ({ fetch }) => {
    run.requests++;
    const response = await fetch(new URL(path, site), { headers });
    if (response.status === 429) run.refused++;
    const type = ensureOk(response).headers.get("content-type");
    if (!type?.startsWith("text/html")) return await response.json() as T;
    await response.body?.cancel();
    throw new Error("the answer is a page and not JSON: is it a login page?");
  }, {
    limiter,
    config: { maxRetries: 10, baseDelay: 0.5, maxDelay: 8 },
    attemptTimeout: flags.url ? 30 : 1.5,
    totalTimeout,
    signal: stop.signal,
    onRetry: (event) => run.countRetry(event, what),
  });
}

interface Page {
  issues: { key: string }[];
  nextPageToken?: string;
}

/** Lists the keys page by page; each page says where the next one is. */
async function* listKeys(run: Run): AsyncGenerator<string> {
  const query = new URLSearchParams({
    jql: flags.jql,
    fields: "key",
    maxResults: "50",
  });
  try {
    for (let more = true, first = true; more; first = false) {
      const path = `rest/api/3/search/jql?${query}`;
      // Nobody waits long for a server that was never there.
      const limit = first ? 30 : undefined;
      const page = await getJson<Page>(run, "the list", path, limit);
      for (const { key } of page.issues) {
        run.found++;
        yield key;
      }
      more = page.nextPageToken !== undefined;
      query.set("nextPageToken", page.nextPageToken ?? "");
    }
  } catch (error) {
    run.failures.set("the list of issues", error);
  }
}

/** Continue and report: what fails is told at the end. */
async function exportIssue(
  run: Run,
  folder: string,
  key: string,
): Promise<void> {
  try {
    const path = `rest/api/3/issue/${encodeURIComponent(key)}`;
    const issue = await getJson<JiraIssue>(run, key, path);
    await writeFile(join(folder, `${key}.md`), toMarkdown(issue));
    run.exported++;
    run.progress.update(run);
  } catch (error) {
    run.failures.set(key, error);
  }
}

async function exportAll(run: Run, folder: string): Promise<void> {
  const started = performance.now();
  const results = pooledMap(
    workers,
    listKeys(run),
    (key: string) => exportIssue(run, folder, key),
  );
  for await (const _ of results);
  run.progress.stop();
  run.seconds = (performance.now() - started) / 1000;
}

/** Shows how far it is, and what just happened. */
interface Progress {
  update(run: Run): void;
  note(line: string): void;
  stop(): void;
}

/** A line that changes on a terminal, a line now and then elsewhere. */
function showProgress(): Progress {
  return process.stdout.isTTY ? showLine() : showLines();
}

function showLines(): Progress {
  let notedAt = -Infinity;
  let left = 0;
  return {
    update({ exported }) {
      if (exported % 50 === 0) console.log(`${exported} issues written`);
    },
    note(line) {
      if (performance.now() - notedAt < 500) {
        left++;
        return;
      }
      const more = left > 0 ? ` (and ${left} before)` : "";
      console.log(`  ${line}${more}`);
      notedAt = performance.now();
      left = 0;
    },
    stop() {},
  };
}

function showLine(): Progress {
  // How many there are is found out on the way: counts, and no share of it.
  const bar = new SingleBar({
    format: "{value} of {total} found, {duration_formatted}  {note}",
    hideCursor: true,
  }, Presets.shades_classic);
  bar.start(0, 0, { note: "" });
  return {
    update({ exported, found }) {
      bar.setTotal(found);
      bar.update(exported);
    },
    note: (note) => bar.update({ note }),
    stop: () => bar.stop(),
  };
}

async function startServer(): Promise<ServerReady & { stop(): void }> {
  const worker = new Worker(new URL("./jira_server.ts", import.meta.url), {
    type: "module",
  });
  const settings: ServerSettings = { seed, issues: 300 };
  const ready = await new Promise<ServerReady>((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(settings);
  });
  return { ...ready, stop: () => worker.terminate() };
}

/** A folder that can be written to. */
async function makeFolder(): Promise<string> {
  if (!flags.out) return await mkdtemp(join(tmpdir(), "bulk_export-"));
  try {
    await mkdir(flags.out, { recursive: true });
    await access(flags.out, constants.W_OK);
    return flags.out;
  } catch (error) {
    refuse(`--out cannot be written to: ${messageOf(error)}`);
  }
}

function summary(run: Run): string {
  const kinds = [...run.retries].map(([kind, count]) => `${count} x ${kind}`);
  return `
Exported   ${run.exported} of ${run.found} issues in ${run.seconds.toFixed(1)} s
Requests   ${run.requests}, ${run.refused} of them refused for coming too fast
Retries    ${kinds.join(", ") || "none"}
Waited     ${run.waited.toFixed(1)} s, over all workers`;
}

/** Names each reason once, with some of what it kept from being exported. */
function report({ failures }: Run): void {
  const byReason = Map.groupBy(failures, ([, error]) => reasonOf(error));
  for (const [reason, entries] of byReason) {
    const names = entries.slice(0, 5).map(([name]) => name).join(", ");
    const more = entries.length > 5 ? ` and ${entries.length - 5} more` : "";
    console.log(`Failed     ${names}${more}: ${reason}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof HttpError && error.status === 401) {
    return `${error.message}: JIRA_TOKEN (and JIRA_EMAIL) are not accepted`;
  }
  const { cause } = Object(error) as { cause?: unknown };
  const because = cause === undefined ? "" : ` (${messageOf(cause)})`;
  return `${messageOf(error)}${because}`;
}

function isComplete({ exported, found, failures }: Run): boolean {
  return exported === found && failures.size === 0;
}

async function exportFrom(site: string, folder: string): Promise<boolean> {
  const run = new Run(site, !flags["no-limiter"]);
  await exportAll(run, folder);
  console.log(summary(run));
  report(run);
  return isComplete(run);
}

/** The demonstration: with one limiter, and with every worker for itself. */
async function exportEmbedded(folder: string): Promise<boolean> {
  const runs = flags["no-limiter"]
    ? [false]
    : flags["no-compare"]
    ? [true]
    : [true, false];
  const lines: string[] = [];
  let complete = true;
  for (const shared of runs) {
    const title = shared ? "one limiter" : "each for itself";
    const server = await startServer();
    const { site, issues, rate, burst } = server;
    if (lines.length === 0) {
      console.log(
        `Embedded server: ${issues} issues, ${rate} requests/s, 7 % faults, seed ${seed}`,
      );
    }
    console.log(`\nExporting with ${workers} workers, ${title}`);
    const run = new Run(site, shared);
    await exportAll(run, folder);
    server.stop();
    console.log(summary(run));
    report(run);
    complete &&= isComplete(run);
    if (lines.length === 0) {
      // Faults cost requests as well: no client could have done with fewer.
      const best = Math.max(0, run.requests - run.refused - burst) / rate;
      lines.push(line("best possible", best));
    }
    const share = `${run.requests} requests, ${run.refused} refused`;
    lines.push(line(title, run.seconds, share));
    if (stop.signal.aborted) break;
  }
  if (!stop.signal.aborted) console.log(`\n${lines.join("\n")}`);
  return complete;
}

function line(title: string, seconds: number, rest = ""): string {
  return `${title.padEnd(16)}${seconds.toFixed(1).padStart(5)} s  ${rest}`
    .trimEnd();
}

const folder = await makeFolder();
console.log(`Writing to ${folder}`);
const complete = flags.url
  ? await exportFrom(flags.url, folder)
  : await exportEmbedded(folder);
process.exit(stop.signal.aborted ? 130 : complete ? 0 : 1);

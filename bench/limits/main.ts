// deno-lint-ignore-file no-console
/**
 * Measures how close a job of many workers comes to the limit of real and of
 * hand-written servers, over sockets of this machine, beside the goals.
 *
 *     deno task bench:limits                   # all rows once, about 30 minutes
 *     deno task bench:limits nginx --runs 5    # rows whose names begin so
 *     deno task bench:limits far --client ky --client told
 *     deno task bench:limits --list
 *
 * A row names its clients; `--client` asks for others: this module's `ours`
 * (returns the `Response`), `ours-parsed` (parses inside), `ours-fetch`
 * (`createFetch`), the peers `p-retry` and `ky`, and `told`, which is told the
 * limit and shows how close the machine lets anybody come. `--node PATH` runs
 * this module's clients on that Node; `--trace` shows each run's requests over
 * time. The machine's load stands beside each row: above the number of cores,
 * others were in the way. Rows that begin with `cpu-` measure
 * processor time against p-retry's. nginx and HAProxy are Debian's: `apt-get
 * install -y --no-install-recommends nginx haproxy`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { bestSeconds } from "./best.ts";
import type { Job, Outcome } from "./client.ts";
import { startHaproxy, startNginx } from "./debian.ts";
import {
  type Figures,
  missed,
  readFigures,
  showGoal,
  typical,
  worst,
} from "./figures.ts";
import { freePort, type Running, runProcess, startProcess } from "./process.ts";
import { CPU, type Row, ROWS } from "./rows.ts";

const here = new URL("./", import.meta.url).pathname;
const DENO = ["run", "-A", "--config", `${here}../deno.json`];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "1" },
    client: { type: "string", multiple: true },
    node: { type: "string" },
    trace: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
const cpuRows = CPU.rows.map((name) => `cpu-${name}`);
const names = [...Object.keys(ROWS), ...cpuRows].filter((name) =>
  positionals.length === 0 ||
  positionals.some((part) => name.startsWith(part) || lineOf(name) === part)
);

/** What a goal is called: rows can be asked for by that, too. */
function lineOf(name: string): string {
  return ROWS[name]?.line ?? "cpu";
}

/** A server process of a row, with nginx or HAProxy in front where it says so. */
async function startServer(name: string, row: Row): Promise<Running> {
  const { server } = row;
  const port = freePort();
  const args = [...DENO, `${here}server.ts`, name, String(port)];
  const running = await startProcess(Deno.execPath(), args, port);
  for (let turn = 0; turn < 30; turn++) {
    await (await fetch(`${running.url}free`)).body?.cancel();
  }
  if (server.kind === "limit" || server.kind === "package") return running;
  try {
    const options = { ...server, backend: port };
    const front = options.kind === "nginx"
      ? await startNginx(freePort(), options)
      : await startHaproxy(freePort(), options);
    return {
      url: front.url,
      stop: async () => {
        await front.stop();
        await running.stop();
      },
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function run(
  name: string,
  row: Row,
  client: string,
): Promise<{ figures: Figures; outcome: Outcome }> {
  const { items, workers, timeout, server: { latency } } = row;
  // Who is told the limit is also told the phase of a window.
  const startAt = client === "told" ? Math.ceil(Date.now() / 1000) + 5 : 0;
  const slots = row.slots(startAt, 0);
  const best = bestSeconds(slots, Math.min(workers, row.atOnce), latency);
  const outage = row.server.kind === "limit" && row.server.outage;
  const server = await startServer(name, row);
  try {
    const job: Job = {
      client,
      url: server.url,
      items,
      workers: client === "told" ? Math.min(workers, row.atOnce) : workers,
      timeout,
      slots: client === "told" ? slots : [],
      startAt,
      bound: outage ? best + 50 : Math.min(60, 3 * best + 10),
      warmUp: `http://127.0.0.1:${warmUp.addr.port}/`,
    };
    const script = [`${here}client.ts`, JSON.stringify(job)];
    const usedUpAt = Date.now() / 1000;
    const before = Array.from({ length: row.usedUp }, () => fetch(server.url));
    for (const response of await Promise.all(before)) {
      await response.body?.cancel();
    }
    // Ended from outside if it does not come to ending itself.
    const most = job.bound + 30;
    const printed = values.node && client.startsWith("ours")
      ? await runProcess(values.node, ["--no-warnings", ...script], most)
      : await runProcess(Deno.execPath(), [...DENO, ...script], most);
    const outcome: Outcome = JSON.parse(printed);
    return { figures: readFigures(row, outcome, usedUpAt), outcome };
  } finally {
    await server.stop();
  }
}

const WIDTHS = [21, 11, 7, 13, 15, 5, 6, 6, 6, 4, 27, 10];
const HEAD = [
  "row",
  "client",
  "workers",
  "ratio (worst)",
  "refused (worst)",
  "lost",
  "early",
  "p99 ms",
  "CPU ms",
  "load",
  "goal",
  "",
];

function printLine(cells: readonly string[]): void {
  const padded = cells.map((cell, column) => cell.padEnd(WIDTHS[column]!));
  console.log(`| ${padded.join(" | ")} |`);
}

function printHead(): void {
  printLine(HEAD);
  printLine(WIDTHS.map((width) => "-".repeat(width)));
}

function printRow(
  name: string,
  client: string,
  row: Row,
  all: readonly Figures[],
  note: string,
): void {
  const middle = typical(all);
  const most = worst(all);
  const several = all.length > 1;
  const unfinished = most.unfinished > 0 ? ">" : "";
  const ratio = unfinished + middle.ratio.toFixed(2);
  const waste = `${middle.waste.toFixed(1)} %`;
  const after = row.goal.after
    ? `, ${most.after.toFixed(1)} s after, ${most.probes} probes`
    : "";
  const stuck = most.unfinished > 0 ? `, ${most.unfinished} not done` : "";
  printLine([
    name,
    client,
    String(row.workers),
    several ? `${ratio} (${most.ratio.toFixed(2)})` : ratio,
    several ? `${waste} (${most.waste.toFixed(1)})` : waste,
    String(most.lost),
    String(most.early),
    middle.p99 < Infinity ? (1000 * middle.p99).toFixed(0) : "-",
    (1000 * middle.cpu).toFixed(0),
    // Above the number of cores, others were in the way.
    Deno.loadavg()[0]!.toFixed(1),
    showGoal(row.goal),
    note + after + stuck,
  ]);
}

/** Accepted, refused and failed requests in each quarter of a second. */
function printTimeline({ start, sent }: Outcome): void {
  const slots: [number, number, number][] = [];
  for (const { at, status } of sent) {
    const slot = Math.floor((at - start) * 4);
    while (slots.length <= slot) slots.push([0, 0, 0]);
    slots[slot]![status === 200 ? 0 : status > 0 ? 1 : 2]++;
  }
  console.log("  s: accepted/refused/failed");
  for (let second = 0; second < slots.length / 4; second++) {
    const quarters = slots.slice(4 * second, 4 * second + 4);
    const cells = quarters.map((counts) => counts.join("/").padEnd(12));
    console.log(`  ${String(second).padStart(3)}: ${cells.join("")}`);
  }
}

/** Reached and all, by the goal's line, for this module's clients. */
const reached = new Map<string, [number, number]>();

function count(line: string, ok: boolean): void {
  const [good, all] = reached.get(line) ?? [0, 0];
  reached.set(line, [good + (ok ? 1 : 0), all + 1]);
}

async function measureRow(name: string, row: Row): Promise<void> {
  for (const client of values.client ?? row.clients) {
    const all: Figures[] = [];
    const reasons = new Set<string>();
    for (let turn = 0; turn < runs; turn++) {
      const { figures, outcome } = await run(name, row, client);
      all.push(figures);
      if (values.trace) printTimeline(outcome);
      for (const reason of Object.keys(outcome.lost)) reasons.add(reason);
    }
    const misses = missed(row.goal, all);
    if (client.startsWith("ours")) count(row.line, misses.length === 0);
    const note = misses.length === 0 ? "ok" : `missed: ${misses.join(", ")}`;
    printRow(name, client, row, all, note);
    for (const reason of reasons) console.log(`  lost by ${reason}`);
  }
}

/** Processor time of this module's client, to p-retry's in the same run. */
async function measureCpu(name: string): Promise<void> {
  const row = ROWS[name]!;
  const ratios: number[] = [];
  const seconds: [number, number][] = [];
  for (let turn = 0; turn < Math.max(runs, 3); turn++) {
    const ours = (await run(name, row, "ours")).figures.cpu;
    const peer = (await run(name, row, "p-retry")).figures.cpu;
    ratios.push(ours / peer);
    seconds.push([ours, peer]);
  }
  const middle = ratios.toSorted((a, b) => a - b)[ratios.length >> 1]!;
  const ok = Number(middle.toFixed(2)) <= CPU.goal;
  count("cpu", ok);
  const pairs = seconds.map((pair) =>
    pair.map((value) => (1000 * value).toFixed(0)).join("/")
  );
  console.log(
    `| cpu-${name}: CPU ${middle.toFixed(2)} of p-retry's (ms, ours/p-retry: ${
      pairs.join(", ")
    }), goal <= ${CPU.goal.toFixed(2)}: ${ok ? "ok" : "missed"}`,
  );
}

if (names.length === 0) {
  console.error(`No row is called so: ${positionals.join(", ")}`);
  Deno.exit(1);
}
if (values.list) {
  for (const name of names) console.log(`${lineOf(name).padEnd(16)}${name}`);
  Deno.exit();
}

const warmUp = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {} },
  () => Response.json({}),
);
printHead();
for (const name of names) {
  const cpuOf = name.replace(/^cpu-/, "");
  const row = ROWS[cpuOf]!;
  try {
    if (cpuOf === name) await measureRow(name, row);
    else await measureCpu(cpuOf);
  } catch (error) {
    const { kind } = row.server;
    const absent = error instanceof Deno.errors.NotFound &&
      (kind === "nginx" || kind === "haproxy");
    console.log(
      `| ${name}: ${absent ? `${kind} is not installed` : error}`,
    );
    if (!absent) Deno.exitCode = 1;
  }
}
await warmUp.shutdown();

console.log("\ngoals reached by this module:");
for (const [line, [good, all]] of reached) {
  console.log(`  ${line.padEnd(16)}${good} of ${all}`);
}

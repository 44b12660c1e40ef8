// deno-lint-ignore-file no-console
/**
 * Brings 1,500 items home from rate-limited servers, with each client: how long
 * it takes against the best possible time, and how many requests are refused.
 *
 *     deno task bench:bulk                        # everything, about 10 minutes
 *     deno task bench:bulk --workers 256 --server nginx --client ky
 *
 * Prints the figures and, for a run of everything, writes `results.json` and the
 * pictures beside this file, and the table in the README.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { startNginx } from "../limits/debian.ts";
import { freePort, type Running, startProcess } from "../limits/process.ts";
import { writeReadmeTable } from "../readme_table.ts";
import { CLIENTS } from "./clients.ts";
import { drawPictures } from "./pictures.ts";
import { ITEMS, NGINX, type Run, SERVERS } from "./settings.ts";

const here = new URL("./", import.meta.url);

interface Server extends Running {
  log(): Promise<[number, number][]>;
}

async function startServer(kind: string): Promise<Server | undefined> {
  const port = freePort();
  if (kind === "nginx") {
    try {
      return await startNginx(port, {
        zone:
          `limit_req_zone $binary_remote_addr zone=bench:1m rate=${NGINX.rate}r/s;`,
        limit:
          `limit_req zone=bench burst=${NGINX.burst} nodelay; limit_req_status 429; limit_req_log_level info;`,
        log: true,
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
  const script = new URL("server.ts", here).pathname;
  const config = new URL("../deno.json", here).pathname;
  const args = ["run", "-A", "--config", config, script, kind, String(port)];
  const running = await startProcess(Deno.execPath(), args, port);
  return {
    ...running,
    log: async () => await (await fetch(`${running.url}log`)).json(),
  };
}

async function run(
  server: string,
  client: string,
  workers: number,
): Promise<Run | undefined> {
  const running = await startServer(server);
  if (!running) return undefined;
  try {
    const get = CLIENTS[client]!(workers);
    let taken = 0;
    let lost = 0;
    const before = process.cpuUsage();
    const start = performance.now();
    await Promise.all(Array.from({ length: workers }, async () => {
      while (taken < ITEMS) {
        taken++;
        await get(running.url).catch(() => lost++);
      }
    }));
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    const log = await running.log();
    const first = Math.min(...log.map(([at]) => at));
    const timeline: [number, number][] = [];
    for (const [at, status] of log) {
      const slot = Math.floor((at - first) / 100);
      while (timeline.length <= slot) timeline.push([0, 0]);
      timeline[slot]![status === 200 ? 0 : 1]++;
    }
    const refused = log.filter(([, status]) => status !== 200).length;
    return {
      server,
      client,
      workers,
      ratio: seconds / SERVERS[server]!.best(workers),
      waste: 100 * refused / log.length,
      lost,
      cpu: (user + system) / 1e6,
      timeline,
    };
  } finally {
    await running.stop();
  }
}

const { values } = parseArgs({
  options: {
    workers: { type: "string", default: "32" },
    server: { type: "string", multiple: true },
    client: { type: "string", multiple: true },
  },
});
const servers = values.server ?? Object.keys(SERVERS);
const clients = values.client ?? Object.keys(CLIENTS);
const workers = Number(values.workers);

// Clients take turns on each server, so that all meet the same machine.
const runs: Run[] = [];
for (const server of servers) {
  console.log(`\n${SERVERS[server]!.title}, ${workers} workers`);
  for (const client of clients) {
    const result = await run(server, client, workers);
    if (!result) {
      console.log("  not installed");
      break;
    }
    runs.push(result);
    console.log(
      `  ${client.padEnd(24)}${result.ratio.toFixed(2).padStart(6)}${
        result.waste.toFixed(1).padStart(7)
      } %${result.lost ? `  lost ${result.lost}` : ""}   cpu ${
        result.cpu.toFixed(2)
      } s`,
    );
  }
}

if (!values.server && !values.client && workers === 32) {
  const file = new URL("results.json", here);
  await Deno.writeTextFile(file, JSON.stringify(runs));
  await drawPictures(runs, here);
  await writeTable(runs);
}

/** Puts the figures between the two marks in the README. */
async function writeTable(runs: Run[]): Promise<void> {
  const cell = ({ ratio, waste, lost }: Run) =>
    `${ratio.toFixed(2)} / ${waste.toFixed(1)} %${
      lost ? `, lost ${lost}` : ""
    }`;
  const rows = servers.map((server) => [
    SERVERS[server]!.title,
    ...clients.map((client) => {
      const run = runs.find((run) =>
        run.server === server && run.client === client
      );
      return run ? cell(run) : "not installed";
    }),
  ]);
  await writeReadmeTable("bench:bulk", [["server", ...clients], ...rows]);
}

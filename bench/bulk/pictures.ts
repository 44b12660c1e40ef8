/**
 * Draws what the bulk bench measured.
 *
 * @module
 */

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { type Run, SERVERS } from "./settings.ts";

const KINDS = ["accepted", "refused"] as const;
/** Seconds that a picture shows. */
const LONGEST = 14;
const config = {
  background: "white",
  font: "sans-serif",
  view: { stroke: "#dddddd" },
  axis: { gridColor: "#eeeeee" },
};

async function draw(spec: TopLevelSpec, file: URL): Promise<void> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  await Deno.writeTextFile(file, await view.toSVG());
}

const titles = Object.values(SERVERS).map(({ title }) => title);

/** Slots of a tenth of a second that make one point of a picture. */
const SLOTS = 2;

/** Requests over time, accepted and refused: a row a client, a column a server. */
function timelines(runs: Run[]): TopLevelSpec {
  const values = runs.flatMap(({ server, client, timeline }) =>
    Array.from({ length: LONGEST * 10 / SLOTS }, (_, point) => {
      const slots = timeline.slice(point * SLOTS, (point + 1) * SLOTS);
      return KINDS.map((kind, index) => ({
        server: SERVERS[server]!.title,
        client,
        kind,
        second: point * SLOTS / 10,
        requests: slots.reduce((sum, slot) => sum + slot[index]!, 0),
      }));
    }).flat()
  );
  return {
    config,
    data: { values },
    mark: { type: "area", interpolate: "step-after", clip: true },
    width: 150,
    height: 55,
    spacing: { row: 8, column: 12 },
    encoding: {
      row: {
        field: "client",
        title: null,
        sort: [...new Set(runs.map(({ client }) => client))],
        header: { labelAngle: 0, labelAlign: "left", labelFontSize: 11 },
      },
      column: {
        field: "server",
        title: null,
        sort: titles,
        header: { labelFontSize: 10, labelLimit: 400 },
      },
      x: {
        field: "second",
        type: "quantitative",
        title: "seconds",
        scale: { domain: [0, LONGEST] },
        axis: { values: [0, 4, 8, 12], titleFontWeight: "normal" },
      },
      y: {
        field: "requests",
        type: "quantitative",
        title: null,
        stack: "zero",
        scale: { domain: [0, 120] },
        axis: { values: [0, 60, 120] },
      },
      color: {
        field: "kind",
        title: "requests in 0.2 s",
        scale: { domain: [...KINDS], range: ["#2a78b5", "#d1495b"] },
        legend: { orient: "top", titleFontWeight: "normal" },
      },
      order: { field: "kind" },
    },
  };
}

/** Ratio against waste: the lower left is where one wants to be. */
function scatter(runs: Run[]): TopLevelSpec {
  const values = runs
    .filter(({ server }) => server !== "faults")
    .map(({ server, ...run }) => ({ ...run, server: SERVERS[server]!.title }));
  return {
    config,
    data: { values },
    mark: { type: "point", filled: true, size: 90, opacity: 0.85, clip: true },
    width: 560,
    height: 320,
    encoding: {
      x: {
        field: "ratio",
        type: "quantitative",
        title: "time, to the best possible time (beyond 2.5 not shown)",
        scale: { domain: [1, 2.5], zero: false },
      },
      y: {
        field: "waste",
        type: "quantitative",
        title: "refused requests, percent",
        scale: { type: "symlog", domain: [0, 100] },
        axis: { values: [0, 1, 2, 5, 10, 20, 50] },
      },
      color: {
        field: "client",
        title: null,
        sort: null,
        legend: { labelLimit: 260 },
      },
      shape: {
        field: "server",
        title: null,
        sort: null,
        legend: { labelLimit: 260 },
      },
    },
  };
}

/** Writes `timelines.svg` and `ratio.svg` into `folder`. */
export async function drawPictures(runs: Run[], folder: URL): Promise<void> {
  await draw(timelines(runs), new URL("timelines.svg", folder));
  await draw(scatter(runs), new URL("ratio.svg", folder));
}

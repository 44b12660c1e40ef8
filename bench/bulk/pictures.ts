/**
 * Draws what the bulk bench measured.
 *
 * @module
 */

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Run } from "./main.ts";
import { SERVERS } from "./settings.ts";

const COLORS = { accepted: "#2a78b5", refused: "#d1495b" };
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

/** Requests over time, accepted and refused: a row a client, a column a server. */
function timelines(runs: Run[]): TopLevelSpec {
  const values = runs.flatMap(({ server, client, timeline }) =>
    timeline.flatMap(([accepted, refused], slot) => [
      {
        server: SERVERS[server]!.title,
        client,
        second: slot / 10,
        end: (slot + 1) / 10,
        from: 0,
        to: accepted,
        kind: "accepted",
      },
      {
        server: SERVERS[server]!.title,
        client,
        second: slot / 10,
        end: (slot + 1) / 10,
        from: accepted,
        to: accepted + refused,
        kind: "refused",
      },
    ])
  ).filter(({ from, to }) => to > from);
  return {
    config,
    data: { values },
    mark: { type: "rect", clip: true },
    width: 190,
    height: 60,
    encoding: {
      row: {
        field: "client",
        title: null,
        sort: null,
        header: { labelAngle: 0, labelAlign: "left", labelFontSize: 11 },
      },
      column: {
        field: "server",
        title: null,
        sort: null,
        header: { labelFontSize: 10, labelLimit: 190 },
      },
      x: {
        field: "second",
        type: "quantitative",
        title: "seconds",
        scale: { domain: [0, 14] },
      },
      x2: { field: "end" },
      y: {
        field: "from",
        type: "quantitative",
        title: "requests / 0.1 s",
        scale: { domain: [0, 60] },
      },
      y2: { field: "to" },
      color: {
        field: "kind",
        title: null,
        scale: { domain: Object.keys(COLORS), range: Object.values(COLORS) },
        legend: { orient: "top" },
      },
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
        title: "time, to the best possible time",
        scale: { domain: [1, 2.5], zero: false },
      },
      y: {
        field: "waste",
        type: "quantitative",
        title: "refused requests, percent",
        scale: { type: "symlog", domain: [0, 100] },
        axis: { values: [0, 1, 2, 5, 10, 20, 50] },
      },
      color: { field: "client", title: null, sort: null },
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

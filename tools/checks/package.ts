/**
 * Installs the npm package in an empty project, as its users do, and checks
 * everything that can be wrong with it.
 *
 *     deno run -A tools/checks/package.ts
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { sourceMap } from "../runtimes/pack.ts";
import { inProject } from "../runtimes/project.ts";
import {
  BUN,
  execute,
  executeOn,
  filesBelow,
  NODES,
  type Output,
  report,
  ROOT,
} from "../runtimes/runtimes.ts";

const CHECKERS = [
  "@arethetypeswrong/cli@0.18.5",
  "@types/bun@1.4.5",
  "@types/node@26.6.6",
  "node-fetch@3.3.2",
  "publint@0.3.25",
  "typescript@7.0.2",
  "undici@8.12.4",
];

/** Makes requests with the package, got by `import` or by `require`. */
const PROGRAM = "refused_twice.mjs";

/** Can `require()` ES modules: from Node 22.12 on. */
const REQUIRING = [...NODES.slice(1), BUN];

const COMPILATIONS = ["NodeNext", "Bundler"].flatMap((resolution) =>
  ["DOM", "node", "bun"].map((globals) => ({ resolution, globals }))
);

function check(problems: readonly string[]): Output {
  return { success: problems.length === 0, text: problems.join("\n") };
}

/** What is in the package, and what is not. */
async function checkContents(folder: string): Promise<Output> {
  const names = await filesBelow(folder);
  const manifest = JSON.parse(
    await Deno.readTextFile(`${folder}/package.json`),
  );
  const problems = names
    .filter((name) =>
      !/^(?:[a-z]+\/)?[a-z_]+(\.js|\.d\.ts)$|^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/
        .test(name) || /_test\./.test(name)
    )
    .map((name) => `${name} has no place in the package`);
  const fields = ["description", "keywords", "repository", "engines"] as const;
  for (const field of [...fields, "version", "license"] as const) {
    const same = JSON.stringify(manifest[field]) ===
      JSON.stringify(config[field]);
    if (!same) problems.push(`${field} is ${manifest[field]}`);
  }
  if (manifest.sideEffects !== false) problems.push("sideEffects is not false");
  for (const field of Object.keys(manifest)) {
    if (/dependencies/i.test(field)) problems.push(`it has ${field}`);
  }
  for (const name of names.filter((name) => name.endsWith(".js"))) {
    problems.push(...await checkMap(folder, name));
  }
  return check(problems);
}

/** A source map has to name the source, and to bring it along as it is. */
async function checkMap(folder: string, name: string): Promise<string[]> {
  const map = sourceMap(await Deno.readTextFile(`${folder}/${name}`));
  const source = name.replace(/js$/, "ts");
  const text = await Deno.readTextFile(new URL(source, ROOT));
  return map?.sources[0] === source && map.sourcesContent[0] === text
    ? []
    : [`${name} has no source map that leads to ${source}`];
}

async function compile(
  cwd: string,
  resolution: string,
  globals: string,
): Promise<Output> {
  const isBrowser = globals === "DOM";
  const tsconfig = {
    compilerOptions: {
      module: resolution === "Bundler" ? "ESNext" : resolution,
      moduleResolution: resolution,
      lib: ["ES2023", ...isBrowser ? ["DOM", "DOM.Iterable"] : []],
      target: "ES2023",
      types: isBrowser ? [] : [globals],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
    },
    files: ["types.ts", "fetches.mts"],
  };
  await Deno.writeTextFile(`${cwd}/tsconfig.json`, JSON.stringify(tsconfig));
  return await execute("npx", ["tsc", "--project", "."], { cwd });
}

await inProject("consumer", CHECKERS, async ({ cwd, tarball }) => {
  const installed = `${cwd}/node_modules/${config.name}`;
  const lint = await execute("npx", ["publint", "run", "--strict", tarball], {
    cwd,
  });
  const types = await execute("npx", ["attw", "--profile=esm-only", tarball], {
    cwd,
  });
  const results = [
    report(
      "contents, metadata and source maps",
      await checkContents(installed),
    ),
    report("publint", lint),
    report("@arethetypeswrong/cli, for an ES module package", types),
  ];
  for (const { resolution, globals } of COMPILATIONS) {
    const name = `tsc --strict, ${resolution}, globals of ${globals}`;
    results.push(report(name, await compile(cwd, resolution, globals)));
  }
  for (const runtime of [...NODES, BUN]) {
    const imported = await executeOn(runtime, [PROGRAM, "import"], cwd);
    results.push(report(`import on ${runtime}`, imported));
    if (!REQUIRING.includes(runtime)) continue;
    const required = await executeOn(runtime, [PROGRAM, "require"], cwd);
    results.push(report(`require on ${runtime}`, required));
  }
  return results;
});

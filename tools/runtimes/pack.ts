// deno-lint-ignore-file no-console
/**
 * Makes the npm package: `deno pack`, with what it leaves out.
 *
 *     deno run -A tools/runtimes/pack.ts package.tgz
 *
 * `deno pack` writes `package.json` from the fields of `deno.json` that Deno
 * itself knows, and source maps that name the files of this machine. Here
 * npm's other fields come from `deno.json` as well, and the maps name the files
 * of the package.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { create, extract } from "npm:tar@7.5.23";
import config from "../../deno.json" with { type: "json" };
import { deno, filesBelow, inTemporaryFolder, ROOT } from "./runtimes.ts";

/** What npm shows and bundlers heed, and Deno does not know. */
const { description, keywords, repository, engines, sideEffects } = config;

const MAP = /(?<=^\/\/# sourceMappingURL=data:application\/json;base64,).*$/m;

/** What of a source map is of interest here. */
export interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent: readonly string[];
}

/** A module's inline source map; `undefined` where it has none. */
export function sourceMap(code: string): SourceMap | undefined {
  const encoded = MAP.exec(code)?.[0];
  return encoded === undefined
    ? undefined
    : JSON.parse(Buffer.from(encoded, "base64").toString());
}

/** Has a module's source map name the source, and bring it along as it is. */
async function mendMap(code: string, source: string): Promise<string> {
  const content = await Deno.readTextFile(new URL(source, ROOT));
  const map: SourceMap = {
    ...sourceMap(code),
    sources: [source],
    sourcesContent: [content],
  };
  return code.replace(MAP, Buffer.from(JSON.stringify(map)).toString("base64"));
}

/** Makes the package at `file`. */
export async function pack(file: string): Promise<void> {
  await inTemporaryFolder(async (cwd) => {
    const plain = `${cwd}/plain.tgz`;
    await deno("pack", "--allow-dirty", "--quiet", "--output", plain);
    await extract({ file: plain, cwd });
    const manifest = `${cwd}/package/package.json`;
    const generated = JSON.parse(await Deno.readTextFile(manifest));
    const { name, version, ...rest } = generated;
    await Deno.writeTextFile(
      manifest,
      JSON.stringify(
        {
          name,
          version,
          description,
          keywords,
          repository,
          ...rest,
          engines,
          sideEffects,
        },
        null,
        2,
      ),
    );
    for (const name of await filesBelow(`${cwd}/package`)) {
      if (!name.endsWith(".js")) continue;
      const path = `${cwd}/package/${name}`;
      const code = await Deno.readTextFile(path);
      const source = name.replace(/js$/, "ts");
      await Deno.writeTextFile(path, await mendMap(code, source));
    }
    await create({ file, cwd, gzip: true, portable: true }, ["package"]);
  });
}

if (import.meta.main) {
  const [file = "package.tgz"] = Deno.args;
  await pack(file);
  console.log(`Packed ${config.name} ${config.version} as ${file}`);
}

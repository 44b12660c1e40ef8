/**
 * Knows how a user begins: an empty project with the npm package installed.
 *
 * @module
 */

import { pack } from "./pack.ts";
import { execute, inTemporaryFolder, report, ROOT } from "./runtimes.ts";

/** A project: its folder, and the package that was installed in it. */
export interface Project {
  readonly cwd: string;
  readonly tarball: string;
}

/**
 * Makes a project with the files of one of this folder's folders, installs the
 * package and `packages`, and ends with an error unless every check is good.
 */
export async function inProject(
  files: string,
  packages: readonly string[],
  check: (project: Project) => Promise<boolean[]>,
): Promise<void> {
  const results = await inTemporaryFolder(async (cwd) => {
    const tarball = `${cwd}/package.tgz`;
    await pack(tarball);
    const manifest = JSON.stringify({ private: true, type: "module" });
    await Deno.writeTextFile(`${cwd}/package.json`, manifest);
    const source = new URL(`tools/checks/${files}/`, ROOT);
    for await (const { name } of Deno.readDir(source)) {
      await Deno.copyFile(new URL(name, source), `${cwd}/${name}`);
    }
    const installed = await execute("npm", [
      ...["install", "--no-audit", "--no-fund", "--loglevel=error"],
      ...[tarball, ...packages],
    ], { cwd });
    const good = report(`npm install ${packages.join(" ")}`, installed);
    return good ? await check({ cwd, tarball }) : [good];
  });
  if (!results.every(Boolean)) Deno.exit(1);
}

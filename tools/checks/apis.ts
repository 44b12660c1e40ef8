// deno-lint-ignore-file no-console
/**
 * Writes `docs/apis.md`.
 *
 *     deno run -A tools/checks/apis.ts
 *
 * @module
 */

import { apisPage } from "./apis_page.ts";

const file = new URL("../../docs/apis.md", import.meta.url);
await Deno.writeTextFile(file, apisPage());
const format = new Deno.Command(Deno.execPath(), {
  args: ["fmt", file.pathname],
});
const { success } = await format.output();
if (!success) throw new Error("deno fmt failed");
console.log(`wrote ${file.pathname}`);

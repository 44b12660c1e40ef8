/** A dedicated worker and a service worker in one: proves, and answers. */
import { prove } from "./proof.mjs";

addEventListener("message", async (event) => {
  const answer = await prove(event.data);
  (event.source ?? self).postMessage(answer);
});

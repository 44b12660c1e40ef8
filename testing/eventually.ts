/**
 * Knows how to wait for what happens soon, but nobody tells when.
 *
 * @module
 */

/** Waits until `holds`, five seconds at the most. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let time = 0; time < 50 && !holds(); time++) {
    await new Promise((turn) => setTimeout(turn, 100));
  }
}

/** Resolves once `condition` holds, looked at in every turn of the event loop; for what nothing announces. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

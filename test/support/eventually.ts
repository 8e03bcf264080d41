import { setTimeout } from 'node:timers/promises'

/**
 * Looks again and again, with short pauses, until what it sees is what is waited for: for changes that reach the daemon
 * over the network and that nothing here can announce. The runner's timeout is what ends a wait in vain.
 *
 * @returns the first accepted value
 */
export async function eventually<T>(look: () => Promise<T>, accepts: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look()
    if (accepts(seen)) return seen
    await setTimeout(25)
  }
}

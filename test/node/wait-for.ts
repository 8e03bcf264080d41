import { setTimeout } from 'node:timers/promises'

const PAUSE_MS = 100

/**
 * Looks again and again until what is waited for is there.
 *
 * @param what in words: `node n1 to be ready`
 * @param look false or undefined is a no, and so is what it throws
 * @returns what it saw
 * @throws Error after `timeoutMs`, with what it threw last
 */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  look: () => Promise<T | false | undefined>,
): Promise<T> {
  const until = performance.now() + timeoutMs
  for (;;) {
    let cause: unknown
    const seen = await look().catch((err: unknown) => {
      cause = err
      return undefined
    })
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > until) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause })
    await setTimeout(PAUSE_MS)
  }
}

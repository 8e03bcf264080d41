import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createPlace } from './place.ts'
import type { Finding } from './scenario.ts'

const PROGRAM = fileURLToPath(new URL('inside.ts', import.meta.url))
const ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
const LIMIT_MS = 400_000

/** What the process in the namespace reports. */
export type Said = { readonly finding: Finding } | { readonly error: string }

/**
 * Lets one scenario happen in a world of its own, and clears up after it however it ends.
 *
 * @throws Error with what it said, if it fails or takes longer than 400 s; the signal's reason
 */
export async function runScenario(name: string, signal: AbortSignal): Promise<Finding> {
  signal.throwIfAborted()
  await using owned = await createPlace()
  const { place, node, ownCgroup } = owned
  const args = [process.execPath, PROGRAM, name, JSON.stringify(place)]
  const child = node.spawn('sh', ['-c', ENTER, ownCgroup, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let printed = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-20_000)
  })
  let said: Said | undefined
  child.on('message', (message) => {
    said = message as Said
  })
  // What it started may hold its standard error open for longer than it lives.
  const closed = once(child, 'close')
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
  await once(child, 'exit', { signal: limit }).catch((err: Error) => {
    throw signal.aborted ? signal.reason : new Error(`it takes longer than ${LIMIT_MS} ms`, { cause: err })
  })
  if (said === undefined) await Promise.race([closed, setTimeout(1_000)])
  if (said === undefined) throw new Error(printed === '' ? 'it ended without a word' : printed)
  if ('error' in said) throw new Error(said.error)
  return said.finding
}

import type { KubernetesClient } from '../kubernetes/client.ts'
import { type JsonPatchOperation, patchNode } from '../kubernetes/patch-node.ts'
import { readTaints } from '../kubernetes/read-taints.ts'
import { asError } from '../lib/as-error.ts'
import { fullJitter } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'

/** What removing the startup taint takes. */
export interface StartupTaintOptions {
  readonly client: KubernetesClient
  readonly nodeName: string
  /** The taint's key; every effect of it is meant. */
  readonly key: string
  /** May pods be answered? */
  readonly ready: () => boolean
  readonly clock: Clock
  readonly log: Log
  /** Ends it. */
  readonly signal: AbortSignal
}

const LOOK_MS = 500
const CALL_MS = 5_000
/** A failed test or a conflict means only that somebody else was faster: node controllers write often. */
const QUIET_ATTEMPTS = 3
const BACKOFF = { baseMs: 1_000, maxMs: 60_000 }

/**
 * Waits for readiness, and then removes the taint that keeps pods away until then; once, because nobody adds it again but
 * whoever wants the node empty. Tries until it is gone. Never rejects.
 */
export async function removeStartupTaint(options: StartupTaintOptions): Promise<void> {
  const { clock, log, signal, key } = options
  while (!signal.aborted && !options.ready()) await sleep(clock, LOOK_MS, signal)
  let told: string | undefined
  for (let attempt = 0; !signal.aborted; attempt++) {
    const call = { verb: 'get' }
    try {
      const removed = await tryToRemove(options, call)
      if (removed > 0) log.info({ key, removed }, 'startup taint removed')
      return
    } catch (thrown) {
      const err = asError(thrown)
      if (signal.aborted) return
      const forbidden = err.code === 'KUBERNETES_FORBIDDEN'
      if (told !== err.code && (forbidden || attempt >= QUIET_ATTEMPTS)) {
        told = err.code
        if (forbidden)
          log.warn({ err, key, right: `${call.verb} nodes` }, 'startup taint stays: a right is missing')
        else log.warn({ err, key }, 'startup taint stays')
      }
    }
    await sleep(clock, fullJitter(attempt, BACKOFF), signal)
  }
}

async function tryToRemove(
  { client, nodeName, key, clock, signal }: StartupTaintOptions,
  call: { verb: string },
): Promise<number> {
  using deadline = deadlineIn(clock, CALL_MS, signal)
  const taints = await readTaints(client, nodeName, deadline.signal)
  const operations: JsonPatchOperation[] = []
  // From the end, because each removal moves those behind it.
  for (let i = taints.length - 1; i >= 0; i--) {
    const value = taints[i]!
    const path = `/spec/taints/${i}`
    if (value.key === key) operations.push({ op: 'test', path, value }, { op: 'remove', path })
  }
  if (operations.length === 0) return 0
  call.verb = 'patch'
  await patchNode(client, nodeName, operations, deadline.signal)
  return operations.length / 2
}

import type { ServiceAccountIndex } from '../caller/service-account-index.ts'
import type { ServiceAccount } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'

/** What is read, and where it goes. */
export interface ReadUsedOptions {
  readonly index: ServiceAccountIndex
  /** The ServiceAccounts of the node's pods (`namespace/name`). */
  readonly used: ReadonlySet<string>
  /** One GET; undefined if there is none. Has a deadline of its own. */
  readonly read: (namespace: string, name: string) => Promise<ServiceAccount | undefined>
  readonly clock: Clock
  readonly signal: AbortSignal
}

const ROUND_MS = 30_000
const AT_A_TIME = 8

/**
 * Where ServiceAccounts may not be watched: reads each that a pod of the node uses, some at a time, and forgets the
 * others, of whose changes nothing would tell. One that can't be read stays as it was.
 *
 * @throws MetadatadError `KUBERNETES_*`, after the last, if any could not be read
 */
export async function readUsedServiceAccounts(options: ReadUsedOptions): Promise<void> {
  const { index, used, read, clock } = options
  using deadline = deadlineIn(clock, ROUND_MS, options.signal)
  for (const key of [...index.keys()]) if (!used.has(key)) index.remove(key)
  let failure: unknown
  const left = used.values()
  async function work(): Promise<void> {
    for (const key of left) {
      deadline.signal.throwIfAborted()
      const slash = key.indexOf('/')
      try {
        const found = await read(key.slice(0, slash), key.slice(slash + 1))
        if (options.signal.aborted) return
        if (found === undefined) index.remove(key)
        else index.upsert(found)
      } catch (error) {
        failure = error
      }
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  if (failure !== undefined) throw failure
}

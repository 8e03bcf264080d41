import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BedPod } from '../bed/pod.ts'
import type { Load, LoadGroup, LoadResult } from './load.ts'

const PROGRAM = fileURLToPath(new URL('load-process.ts', import.meta.url))
const MAX_MS = 90_000
const MAX_REQUESTS = 20_000

/** New connections, one that is used again and again, and one that is idle most of the time; all to one address. */
export function usualGroups(origin: string): LoadGroup[] {
  return [
    { connections: 'new', workers: 2, pauseMs: 40, origin },
    { connections: 'kept-alive', workers: 1, pauseMs: 40, origin },
    { connections: 'kept-alive', workers: 1, pauseMs: 3_000, origin },
  ]
}

/** A running load client. */
export interface RunningLoad {
  readonly pod: BedPod
  /** Resolves when every worker has been given a good answer. */
  readonly answered: Promise<void>
  /** Lets it finish what is under way. */
  end(): Promise<LoadResult>
}

/** Starts a load client in a pod. */
export function startLoad(pod: BedPod, groups: readonly LoadGroup[], timeoutMs = 3_000): RunningLoad {
  const { email, roleArn } = pod.spec
  const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1)
  const load: Load = { groups, email, roleName, timeoutMs, maxMs: MAX_MS, maxRequests: MAX_REQUESTS }
  const child = pod.spawn(process.execPath, [PROGRAM, JSON.stringify(load)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answered = Promise.withResolvers<void>()
  // Nobody may be waiting for it.
  answered.promise.catch(() => {})
  let last = ''
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line === 'answered') answered.resolve()
    else last = line
  })
  const closed = once(child, 'close').then(() =>
    answered.reject(new Error(`no answer for ${email}: ${last}`)),
  )
  return {
    pod,
    answered: answered.promise,
    async end() {
      child.stdin!.end()
      await closed
      return JSON.parse(last)
    },
  }
}

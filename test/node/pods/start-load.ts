import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Load, LoadGroup, LoadResult } from '../../e2e/client/load.ts'
import type { LabNode } from '../lab/lab-node.ts'
import type { World } from '../world.ts'
import type { Identity } from './identities.ts'
import { startPod } from './start-pod.ts'

/** The load client of the tests in network namespaces, which pods run from the node's disk. */
const CLIENT = fileURLToPath(new URL('../../e2e/client', import.meta.url))
/** It has Node. */
const IMAGE = 'metadatad:0.1.0'
const ORIGIN = 'http://169.254.169.254'
const MAX_MS = 180_000
const MAX_REQUESTS = 20_000
/** About 20 requests a second: on new connections, on one that is in use, and on one that is idle most of the time. */
const GROUPS: readonly LoadGroup[] = [
  { connections: 'new', workers: 1, pauseMs: 100, origin: ORIGIN },
  { connections: 'kept-alive', workers: 1, pauseMs: 100, origin: ORIGIN },
  { connections: 'kept-alive', workers: 1, pauseMs: 3_000, origin: ORIGIN },
]

/** A pod that asks for its identity all the time. */
export interface RunningLoad {
  readonly identity: Identity
  /** Lets it finish what is under way, and removes the pod. */
  end(): Promise<LoadResult>
}

/**
 * Starts a load pod and waits until each of its workers has been answered.
 *
 * @param timeoutMs of one request
 */
export async function startLoad(
  world: World,
  pod: {
    readonly name: string
    readonly node: LabNode
    readonly identity: Identity
    readonly timeoutMs: number
  },
): Promise<RunningLoad> {
  const { name, node, identity, timeoutMs } = pod
  await using starting = new AsyncDisposableStack()
  starting.use(
    await startPod(world, {
      ...{ name, node: node.name, serviceAccount: identity.serviceAccount, image: IMAGE },
      command: ['sleep', 'infinity'],
      container: { volumeMounts: [{ name: 'client', mountPath: '/client', readOnly: true }] },
      spec: { volumes: [{ name: 'client', hostPath: { path: CLIENT, type: 'Directory' } }] },
    }),
  )
  const { email } = identity
  const load: Load = {
    groups: GROUPS,
    email,
    roleName: '',
    timeoutMs,
    maxMs: MAX_MS,
    maxRequests: MAX_REQUESTS,
  }
  const [program, ...first] = world.kubectlCommand
  const run = ['node', '/client/load-process.ts', JSON.stringify(load)]
  const child = spawn(program!, [...first, 'exec', '--stdin', name, '--', ...run], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  starting.defer(() => {
    child.kill('SIGKILL')
  })
  const answered = Promise.withResolvers<void>()
  answered.promise.catch(() => {})
  let last = ''
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line === 'answered') answered.resolve()
    else last = line
  })
  const closed = once(child, 'close').then(() => answered.reject(new Error(`${name} ended early: ${last}`)))
  await answered.promise
  const running = starting.move()
  return {
    identity,
    async end() {
      await using _stopped = running
      child.stdin!.end()
      await closed
      return JSON.parse(last)
    },
  }
}

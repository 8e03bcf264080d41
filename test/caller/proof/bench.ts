import { Registry } from 'prom-client'
import type { Caller, CallerSession, Connection } from '../../../src/caller/caller.ts'
import { createIdentifier } from '../../../src/caller/identifier.ts'
import { LiveReader } from '../../../src/caller/live-reader.ts'
import { PodIndex } from '../../../src/caller/pod-index.ts'
import { openHostView } from '../../../src/caller/proof/host-view.ts'
import { createProofStrategy } from '../../../src/caller/proof/proof-strategy.ts'
import { whereUnprovable } from '../../../src/caller/proof/where-unprovable.ts'
import { ServiceAccountIndex } from '../../../src/caller/service-account-index.ts'
import { createWatchStrategy } from '../../../src/caller/watch-strategy.ts'
import type { Pod } from '../../../src/kubernetes/types.ts'
import { deadlineIn } from '../../../src/lib/deadline.ts'
import type { LogFields } from '../../../src/lib/log.ts'
import { createMetrics, type Metrics } from '../../../src/lib/metrics.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { pod, serviceAccount } from '../build.ts'
import { MemoryHost, type MemoryNamespace, type MemorySocket } from './memory-host.ts'

export const METADATA = { address: '169.254.169.254', port: 80 }

/** What tests of proof play the API server and the kernel with. */
export interface ProofBench {
  readonly clock: FakeClock
  readonly host: MemoryHost
  readonly pods: PodIndex
  readonly metrics: Metrics
  readonly warned: string[]
  /** What live reads see. */
  readonly live: { pods: Pod[]; reads: number; during: () => void }
  open(connection: Connection): CallerSession
  /** Makes a pod known to the watch, and its ServiceAccount. The kernel is not told. */
  watch(name: string, change?: Partial<Pod>): Pod
  /** Opens a connection from inside a namespace: the socket there, and what the daemon accepts. */
  dial(from: MemoryNamespace, address: string, change?: Partial<MemorySocket>): Connection
  /** The pod's name, or the error's code, once there is an answer. Time passes meanwhile. */
  ask(connection: Connection | CallerSession, ms?: number): Promise<string>
}

/** The proof strategy before the watch strategy, over a made-up host. */
export async function proofBench(
  options: {
    mode?: 'require' | 'prefer'
    sandboxedRuntimes?: readonly string[]
    watchConfirmedAt?: () => number
  } = {},
): Promise<ProofBench> {
  const clock = new FakeClock()
  const host = new MemoryHost()
  const metrics = createMetrics(new Registry())
  const live: ProofBench['live'] = { pods: [], reads: 0, during() {} }
  const pods = new PodIndex()
  const serviceAccounts = new ServiceAccountIndex({
    clock,
    read: async (_namespace, name) => serviceAccount(name),
  })
  const reader = new LiveReader({
    clock,
    metrics,
    list: async () => {
      live.reads++
      const seen = [...live.pods]
      await settle()
      live.during()
      return seen
    },
  })
  const warned: string[] = []
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (_: LogFields, message: string) => warned.push(message),
  }
  const kernel = createProofStrategy({
    mode: options.mode ?? 'prefer',
    host: (await openHostView({ procRoot: '/proc', cgroupRoot: '/cgroup', files: host }))!,
    pods,
    reader,
    sandboxedRuntimes: options.sandboxedRuntimes ?? [],
    clock,
    metrics,
    log,
  })
  const byWatch = createWatchStrategy({
    index: pods,
    reader,
    clock,
    watchConfirmedAt: options.watchConfirmedAt ?? (() => clock.now()),
    confirmWithinMs: 30_000,
    serveUnconfirmed: false,
  })
  const identifier = createIdentifier({
    strategies: [kernel, whereUnprovable(byWatch, options.sandboxedRuntimes ?? [])],
    pods,
    serviceAccounts,
    mark: () => reader.mark(),
    clock,
    metrics,
  })
  let port = 40_000
  const open = (connection: Connection) => identifier.open(connection)
  return {
    clock,
    host,
    pods,
    metrics,
    warned,
    live,
    open,
    watch(name, change) {
      const it = pod(name, change)
      serviceAccounts.use(`ns/${it.serviceAccountName}`)
      serviceAccounts.upsert(serviceAccount(it.serviceAccountName))
      pods.upsert(it)
      return it
    },
    dial(from, address, change = {}) {
      const local = { address, port: port++ }
      from.sockets.add({ local, remote: METADATA, ...change })
      return {
        remoteAddress: address,
        remotePort: local.port,
        localAddress: '169.254.169.252',
        localPort: 988,
        dialled: [METADATA],
        openedAt: clock.now(),
      }
    },
    async ask(asked, ms = 900) {
      const session = 'identify' in asked ? asked : open(asked)
      const deadline = deadlineIn(clock, ms)
      let answer: string | undefined
      const going = session.identify(deadline).then(
        (caller: Caller) => {
          answer = caller.pod.name
        },
        (error) => {
          answer = error.code ?? String(error)
        },
      )
      while (answer === undefined) {
        for (let turn = 0; turn < 40; turn++) await settle()
        if (answer === undefined) await clock.advance(5)
      }
      await going
      deadline[Symbol.dispose]()
      return answer
    },
  }
}

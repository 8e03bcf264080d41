import { Registry } from 'prom-client'
import type { Connection } from '../../src/caller/caller.ts'
import { createIdentifier } from '../../src/caller/identifier.ts'
import { LiveReader } from '../../src/caller/live-reader.ts'
import { PodIndex } from '../../src/caller/pod-index.ts'
import { ServiceAccountIndex } from '../../src/caller/service-account-index.ts'
import { createWatchStrategy } from '../../src/caller/watch-strategy.ts'
import type { Pod, ServiceAccount } from '../../src/kubernetes/types.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** A running pod `ns/name` with the UID `uid-name`, changed as said. */
export function pod(name: string, change: Partial<Pod> = {}): Pod {
  return {
    namespace: 'ns',
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    nodeName: 'node',
    serviceAccountName: `sa-${name}`,
    hostNetwork: false,
    phase: 'Running',
    ips: ['10.0.0.1'],
    createdAt: 0,
    terminating: false,
    sandboxGone: false,
    runtimeClassName: undefined,
    projectedTokens: [],
    annotations: {},
    labels: {},
    ...change,
  }
}

/** The ServiceAccount `ns/name` with the UID `uid-name`. */
export function serviceAccount(name: string, annotations: Record<string, string> = {}): ServiceAccount {
  return { namespace: 'ns', name, uid: `uid-${name}`, resourceVersion: '1', annotations }
}

/** A connection from `remoteAddress`. */
export function connection(remoteAddress: string): Connection {
  const local = { address: '10.0.0.254', port: 988 }
  return {
    remoteAddress,
    remotePort: 40_000,
    localAddress: local.address,
    localPort: local.port,
    dialled: [local],
    openedAt: 0,
  }
}

/** What the caller's tests play the API server with. */
export interface CallerBench {
  clock: FakeClock
  pods: PodIndex
  serviceAccounts: ServiceAccountIndex
  identifier: ReturnType<typeof createIdentifier>
  /** The state that live reads see. */
  live: {
    pods: Pod[]
    serviceAccounts: ServiceAccount[]
    reads: number
    asked: string[]
    gate: Promise<void>
    down: boolean
  }
  /** When the watch was last confirmed; undefined, as at first, for now. */
  watch: { confirmedAt: number | undefined }
}

/** The whole of `caller/` over a cluster state that the test changes at will. */
export function bench(options: { confirmWithinMs?: number; serveUnconfirmed?: boolean } = {}): CallerBench {
  const clock = new FakeClock()
  const metrics = createMetrics(new Registry())
  const live: CallerBench['live'] = {
    pods: [],
    serviceAccounts: [],
    reads: 0,
    asked: [],
    gate: Promise.resolve(),
    down: false,
  }
  const watch: CallerBench['watch'] = { confirmedAt: undefined }
  const pods = new PodIndex()
  const serviceAccounts = new ServiceAccountIndex({
    clock,
    read: async (namespace, name) => {
      live.asked.push(`${namespace}/${name}`)
      await live.gate
      if (live.down) throw new Error('connection refused')
      return live.serviceAccounts.find((sa) => sa.namespace === namespace && sa.name === name)
    },
  })
  const reader = new LiveReader({
    clock,
    metrics,
    list: async () => {
      live.reads++
      const seen = [...live.pods]
      await live.gate
      if (live.down) throw new Error('connection refused')
      return seen
    },
  })
  const strategy = createWatchStrategy({
    index: pods,
    reader,
    clock,
    watchConfirmedAt: () => watch.confirmedAt ?? clock.now(),
    confirmWithinMs: options.confirmWithinMs ?? 30_000,
    serveUnconfirmed: options.serveUnconfirmed ?? false,
  })
  const identifier = createIdentifier({
    strategies: [strategy],
    pods,
    serviceAccounts,
    mark: () => reader.mark(),
    clock,
    metrics,
  })
  return { clock, pods, serviceAccounts, identifier, live, watch }
}

import type { AddressInfo } from 'node:net'
import { createAdminServer } from './admin/admin-server.ts'
import { createIdentifier } from './caller/identifier.ts'
import { createWatchStrategy } from './caller/watch-strategy.ts'
import type { Config } from './config/config.ts'
import { createCredentials } from './credentials/create-credentials.ts'
import type { Cloud } from './daemon/cloud.ts'
import { createCluster } from './daemon/cluster.ts'
import { createEventReporter } from './daemon/event-reporter.ts'
import { createGoogleCloud } from './daemon/google.ts'
import { createOutbound } from './daemon/outbound.ts'
import { createPrefetcher } from './daemon/prefetcher.ts'
import { createSubjectSource } from './daemon/subject-source.ts'
import { disabledAws, disabledAzure } from './endpoints/disabled-clouds.ts'
import { createMetadataServer } from './endpoints/metadata-server.ts'
import { createKubernetesClient } from './kubernetes/create-client.ts'
import { createEvent } from './kubernetes/create-event.ts'
import { loadConnection } from './kubernetes/load-connection.ts'
import type { Clock } from './lib/clock.ts'
import { deadlineIn } from './lib/deadline.ts'
import type { Log } from './lib/log.ts'
import { createMetrics, type Metrics } from './lib/metrics.ts'
import { createSubjectTokens } from './subject/create-subject-tokens.ts'

/** What the daemon takes from the process it runs in. */
export interface Runtime {
  readonly clock: Clock
  readonly log: Log
  /** For the API server's address, `KUBECONFIG` and proxies. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
}

/** A running daemon. */
export interface Daemon {
  /** Where pods are answered, in the order of `listen.metadata`. */
  readonly metadata: readonly { readonly address: string; readonly port: number }[]
  readonly admin: AddressInfo
  readonly metrics: Metrics
  /** Answers what is under way, then stops everything in reverse order of its start. Idempotent. */
  stop(): Promise<void>
}

const EVENT_MS = 5_000
const STOP_GRACE_MS = 2_000

/**
 * Stacks the parts and starts them: the operator's server first, so that a daemon that waits can say what for; then the
 * pods' server, which holds requests until the cluster is known; then the watches. Does not wait for the API server.
 *
 * @throws MetadatadError `CONFIG_INVALID`, `LISTEN_FAILED`
 */
export async function startDaemon(config: Config, runtime: Runtime): Promise<Daemon> {
  const { clock, log, env } = runtime
  const metrics = createMetrics()
  metrics.buildInfo.set({ version: runtime.version }, 1)
  const shared = { clock, log, metrics }
  await using starting = new AsyncDisposableStack()

  const connection = await loadConnection({ ...config.kubernetes, env, clock })
  const client = starting.adopt(createKubernetesClient(connection, shared), (it) => it.close())
  const dispatcher = starting.adopt(createOutbound(config.upstream, env), (it) => it.destroy())
  const clouds: Cloud[] = []
  const cluster = createCluster({
    ...shared,
    client,
    nodeName: config.node.name,
    nodeSeen(node) {
      for (const cloud of clouds) cloud.nodeSeen(node)
    },
  })
  // Ends after the server has answered what is under way: that may still wait for an event, or for a live read.
  starting.defer(() => cluster.stop())
  const { pods, serviceAccounts, reader } = cluster

  const events = createEventReporter({
    ...shared,
    async write(pod, reason, message) {
      using deadline = deadlineIn(clock, EVENT_MS)
      const event = { pod, reason, message, nodeName: config.node.name, at: clock.now() }
      await createEvent(client, { ...event, type: 'Warning' }, deadline.signal)
    },
  })
  const subjectTokens = createSubjectTokens({ ...shared, ...config.subjectToken, client })
  const credentials = starting.adopt(
    createCredentials({
      ...shared,
      subjectToken: createSubjectSource({
        tokens: subjectTokens,
        podByUid: cluster.podByUid,
        expirationSeconds: config.subjectToken.expirationSeconds,
      }),
      refused: events.report,
      limits: { entriesPerPod: config.credentials.maxPerPod, refusalMs: config.credentials.refusalTtlMs },
    }),
    (it) => it.close(),
  )
  const { google } = config
  if (google !== undefined) {
    const parts = { ...shared, config, google, credentials, dispatcher, refused: events.report }
    clouds.push(starting.adopt(createGoogleCloud(parts), (it) => it.close()))
  }

  const prefetcher = createPrefetcher({
    pods,
    serviceAccounts,
    credentials,
    specsFor: (pod, serviceAccount) =>
      config.credentials.prefetch ? clouds.flatMap((cloud) => cloud.prefetch(pod, serviceAccount)) : [],
    serviceAccountsSynced: cluster.serviceAccountsSynced,
    dropTokens: (uid) => subjectTokens.forget(uid),
    log,
  })
  const byWatch = createWatchStrategy({
    ...config.caller,
    index: pods,
    reader,
    watchConfirmedAt: cluster.podsConfirmedAt,
    clock,
  })
  const identifier = createIdentifier({
    strategies: [byWatch],
    pods,
    serviceAccounts,
    mark: () => reader.mark(),
    clock,
    metrics,
  })

  const admin = createAdminServer({
    checks: cluster.checks,
    refresh: () => cluster.report(),
    metrics,
    log,
  })
  starting.defer(() => admin.close())
  const adminAddress = await admin.listen(config.listen.admin.host, config.listen.admin.port)

  const server = createMetadataServer({
    ...shared,
    identifier,
    // The first is asked for what is nobody's, `GET /` among it.
    protocols: [...clouds.map((cloud) => cloud.protocol), disabledAws(metrics), disabledAzure(metrics)],
    limits: {
      connections: config.limits.connections,
      connectionsPerAddress: config.limits.connectionsPerPod,
    },
  })
  starting.defer(() => server.close(STOP_GRACE_MS))
  const metadata: { address: string; port: number }[] = []
  for (const { host, port } of config.listen.metadata) metadata.push(await server.listen(host, port))

  cluster.start(() => prefetcher.serviceAccountsReady())

  log.info({ version: runtime.version, node: config.node.name, metadata, admin: adminAddress }, 'listening')
  const running = starting.move()
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= running.disposeAsync())
  return { metadata, admin: adminAddress, metrics, stop }
}

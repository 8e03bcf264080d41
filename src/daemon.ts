import type { AddressInfo } from 'node:net'
import { Agent } from 'undici'
import { createAdminServer } from './admin/admin-server.ts'
import { createHealthFiles } from './admin/health-files.ts'
import { readiness } from './admin/readiness.ts'
import { createIdentifier } from './caller/identifier.ts'
import type { HostFiles } from './caller/proof/host-files.ts'
import type { Config } from './config/config.ts'
import { createCredentials } from './credentials/create-credentials.ts'
import { createArrivals } from './daemon/arrivals.ts'
import { createAwsCloud } from './daemon/aws.ts'
import { createAzureCloud } from './daemon/azure.ts'
import type { Cloud } from './daemon/cloud.ts'
import { createCluster } from './daemon/cluster.ts'
import { createEventReporter } from './daemon/event-reporter.ts'
import { createGoogleCloud } from './daemon/google.ts'
import { createOutbound } from './daemon/outbound.ts'
import { createPrefetcher } from './daemon/prefetcher.ts'
import { removeStartupTaint } from './daemon/startup-taint.ts'
import { createStrategies } from './daemon/strategies.ts'
import { createSubjectSource } from './daemon/subject-source.ts'
import { disabledAws, disabledAzure } from './endpoints/disabled-clouds.ts'
import type { Protocol } from './endpoints/protocol.ts'
import { createKubernetesClient } from './kubernetes/create-client.ts'
import { loadConnection } from './kubernetes/load-connection.ts'
import { writeEvent } from './kubernetes/write-event.ts'
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
  /** The machine's own unless a test says otherwise. */
  readonly hostFiles?: HostFiles | undefined
}

/** A running daemon. */
export interface Daemon {
  /** Where pods are answered, in the order of `listen.metadata`; empty where packets are intercepted. */
  readonly metadata: readonly { readonly address: string; readonly port: number }[]
  /** undefined if another daemon has the address for now. */
  readonly admin: AddressInfo | undefined
  readonly metrics: Metrics
  /** Drains where packets are intercepted (`listen.drain`), answers what is under way, then stops everything in reverse order of its start. Idempotent. */
  stop(): Promise<void>
}

const EVENT_MS = 5_000

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

  const events = starting.adopt(
    createEventReporter({
      ...shared,
      async write(event, known) {
        using deadline = deadlineIn(clock, EVENT_MS)
        const { signal } = deadline
        return await writeEvent(event, { client, nodeName: config.node.name, known, signal })
      },
    }),
    (it) => it.close(),
  )
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
  // Never through a proxy: the real metadata server is a link-local address of this node.
  const direct = starting.adopt(new Agent(), (it) => it.destroy())
  const parts = { ...shared, config, credentials, dispatcher, direct, refused: events.report }
  const { google, aws, azure } = config
  if (google !== undefined) clouds.push(createGoogleCloud({ ...parts, google }))
  if (aws !== undefined) clouds.push(await createAwsCloud({ ...parts, aws, client }))
  if (azure !== undefined) clouds.push(createAzureCloud({ ...parts, azure }))

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
  const strategies = await createStrategies({
    ...shared,
    caller: config.caller,
    pods,
    reader,
    watchConfirmedAt: cluster.podsConfirmedAt,
    hostFiles: runtime.hostFiles,
  })
  let prepared = false
  const identifier = createIdentifier({
    strategies,
    pods,
    serviceAccounts,
    mark: () => reader.mark(),
    clock,
    metrics,
  })

  const arrivals = createArrivals({
    ...shared,
    config,
    identifier,
    // The first is asked for what is nobody's, `GET /` among it.
    protocols: [
      ...clouds.map((cloud) => cloud.protocol),
      ...(aws === undefined ? [disabledAws(metrics)] : []),
      ...(azure === undefined ? [disabledAzure(metrics)] : []),
    ] as [...Protocol[], Protocol],
    containerCredentials: clouds.find((cloud) => cloud.containerCredentials)?.containerCredentials,
    ready: () => prepared && readiness(cluster.checks).ready,
    podAddresses: () => pods.addresses(),
  })
  const checks = [...cluster.checks, ...arrivals.checks]
  const ready = () => readiness(checks).ready

  const stopping = new AbortController()
  const admin = createAdminServer({
    ...shared,
    checks,
    refresh: () => cluster.report(),
    interception: arrivals.report,
  })
  starting.defer(() => admin.close())
  const { host, port } = config.listen.admin
  const isAlone = config.intercept.mode === 'none'
  const adminAddress = isAlone
    ? await admin.listen(host, port)
    : await admin.listenWhenFree(host, port, stopping.signal)

  starting.defer(() => arrivals.close())
  const metadata = await arrivals.open()
  const { health: directory } = config.listen
  const healthFiles = directory && createHealthFiles({ directory, ready, clock, log })
  if (healthFiles) starting.defer(() => healthFiles.stop())

  cluster.start(() => {
    prefetcher.serviceAccountsReady()
    void Promise.all(strategies.map((strategy) => strategy.prepare?.())).then(() => {
      prepared = true
    })
  })
  const { name: nodeName, startupTaint: key } = config.node
  if (key !== undefined) {
    void removeStartupTaint({ client, nodeName, key, ready, clock, log, signal: stopping.signal })
  }

  log.info({ version: runtime.version, node: nodeName, metadata, admin: adminAddress }, 'listening')
  const running = starting.move()
  async function end(): Promise<void> {
    stopping.abort()
    if (healthFiles) await healthFiles.stop()
    // A successor wants the address.
    await admin.close()
    await arrivals.drain()
    await running.disposeAsync()
  }
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= end())
  return { metadata, admin: adminAddress, metrics, stop }
}

import type { AddressInfo } from 'node:net'
import { createAdminServer } from './admin/admin-server.ts'
import { createIdentifier } from './caller/identifier.ts'
import { LiveReader } from './caller/live-reader.ts'
import { PodIndex } from './caller/pod-index.ts'
import { ServiceAccountIndex } from './caller/service-account-index.ts'
import { createWatchStrategy } from './caller/watch-strategy.ts'
import type { Config } from './config/config.ts'
import { createCredentials } from './credentials/create-credentials.ts'
import { createEventReporter } from './daemon/event-reporter.ts'
import { createGoogleCloud } from './daemon/google.ts'
import { nodeStore } from './daemon/node-store.ts'
import { createOutbound } from './daemon/outbound.ts'
import { createPrefetcher } from './daemon/prefetcher.ts'
import { staleness } from './daemon/staleness.ts'
import { createSubjectSource } from './daemon/subject-source.ts'
import { disabledAws, disabledAzure } from './endpoints/disabled-clouds.ts'
import { createGoogleProtocol } from './endpoints/google/google-protocol.ts'
import { createMetadataServer } from './endpoints/metadata-server.ts'
import { createKubernetesClient } from './kubernetes/create-client.ts'
import { createEvent } from './kubernetes/create-event.ts'
import { decodeNode } from './kubernetes/decode-node.ts'
import { decodePod } from './kubernetes/decode-pod.ts'
import { decodeServiceAccount } from './kubernetes/decode-service-account.ts'
import { listNodePods } from './kubernetes/list-node-pods.ts'
import { loadConnection } from './kubernetes/load-connection.ts'
import { readServiceAccount } from './kubernetes/read-service-account.ts'
import { createReflector } from './kubernetes/reflector.ts'
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

const LIVE_READ_MS = 5_000
const SERVICE_ACCOUNT_READ_MS = 3_000
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
  const shared = { clock, log, metrics }
  await using starting = new AsyncDisposableStack()

  const connection = await loadConnection({ ...config.kubernetes, env, clock })
  const client = starting.adopt(createKubernetesClient(connection, shared), (it) => it.close())
  const dispatcher = starting.adopt(createOutbound(config.upstream, env), (it) => it.destroy())

  const pods = new PodIndex()
  const serviceAccounts = new ServiceAccountIndex({
    clock,
    read: async (namespace, name) => {
      using deadline = deadlineIn(clock, SERVICE_ACCOUNT_READ_MS)
      return await readServiceAccount(client, namespace, name, deadline.signal)
    },
  })
  const reader = new LiveReader({
    clock,
    metrics,
    list: async () => {
      using deadline = deadlineIn(clock, LIVE_READ_MS)
      return await listNodePods(client, config.node.name, clock, deadline.signal)
    },
  })
  const events = createEventReporter({
    ...shared,
    write: async (pod, reason, message) => {
      using deadline = deadlineIn(clock, EVENT_MS)
      const event = {
        pod,
        type: 'Warning',
        reason,
        message,
        nodeName: config.node.name,
        at: clock.now(),
      } as const
      await createEvent(client, event, deadline.signal)
    },
  })

  const subjectTokens = createSubjectTokens({ ...config.subjectToken, client, ...shared })
  const credentials = starting.adopt(
    createCredentials({
      ...shared,
      subjectToken: createSubjectSource({
        tokens: subjectTokens,
        // A pod that a live read has found is not in the index until the watch catches up.
        podByUid: (uid) => pods.byUid(uid) ?? reader.last?.pods.find((pod) => pod.uid === uid),
        expirationSeconds: config.subjectToken.expirationSeconds,
      }),
      refused: events.report,
      limits: { entriesPerPod: config.credentials.maxPerPod, refusalMs: config.credentials.refusalTtlMs },
    }),
    (it) => it.close(),
  )
  const google =
    config.google &&
    createGoogleCloud({ ...shared, config, google: config.google, dispatcher, refused: events.report })

  const watch = { client, clock, log, metrics }
  const podReflector = createReflector({
    ...watch,
    resource: 'pods',
    path: '/api/v1/pods',
    fieldSelector: `spec.nodeName=${config.node.name}`,
    decode: decodePod,
    store: pods,
  })
  const serviceAccountReflector = createReflector({
    ...watch,
    resource: 'serviceaccounts',
    path: '/api/v1/serviceaccounts',
    metadataOnly: true,
    decode: decodeServiceAccount,
    store: serviceAccounts,
  })
  const nodeReflector = createReflector({
    ...watch,
    resource: 'nodes',
    path: '/api/v1/nodes',
    fieldSelector: `metadata.name=${config.node.name}`,
    decode: decodeNode,
    store: nodeStore((node) => google?.facts.update(node)),
  })
  const reflectors = [podReflector, serviceAccountReflector, nodeReflector]

  const prefetcher = createPrefetcher({
    pods,
    serviceAccounts,
    credentials,
    specsFor: (pod, serviceAccount) =>
      config.credentials.prefetch ? (google?.prefetch(pod, serviceAccount) ?? []) : [],
    serviceAccountsSynced: () => serviceAccountReflector.synced,
    podGone: (uid) => subjectTokens.forget(uid),
    log,
  })

  const identifier = createIdentifier({
    strategies: [
      createWatchStrategy({
        index: pods,
        reader,
        watchConfirmedAt: () => podReflector.confirmedAt,
        ...config.caller,
        clock,
      }),
    ],
    pods,
    serviceAccounts,
    mark: () => reader.mark(),
    clock,
    metrics,
  })

  const admin = createAdminServer({
    checks: reflectors.slice(0, 2).map((reflector, i) => ({
      name: ['pods', 'service accounts'][i]!,
      reason: () => staleness(reflector, clock),
    })),
    refresh() {
      for (const reflector of reflectors) reflector.reportStaleness()
      metrics.pods.set(pods.size)
      metrics.serviceAccounts.set(serviceAccounts.size)
      metrics.credentials.set(credentials.size)
    },
    metrics,
    log,
  })
  starting.defer(() => admin.close())
  const adminAddress = await admin.listen(config.listen.admin.host, config.listen.admin.port)

  const disabled = [disabledAws(metrics), disabledAzure(metrics)] as const
  const server = createMetadataServer({
    ...shared,
    identifier,
    protocols:
      google === undefined
        ? disabled
        : [
            createGoogleProtocol({ ...shared, ...google, credentials, hosts: config.google!.hosts }),
            ...disabled,
          ],
    limits: {
      connections: config.limits.connections,
      connectionsPerAddress: config.limits.connectionsPerPod,
    },
  })
  for (const reflector of reflectors) starting.defer(() => reflector.stop())
  const stopping = new AbortController()
  starting.defer(() => stopping.abort())
  podReflector.start()
  nodeReflector.start()
  // After the pods: a ServiceAccount without annotations is kept only if a pod of this node is known to use it.
  podReflector
    .whenSynced(stopping.signal)
    .then(() => {
      serviceAccountReflector.start()
      return serviceAccountReflector.whenSynced(stopping.signal)
    })
    .then(
      () => prefetcher.serviceAccountsReady(),
      (err) => log.debug({ err }, 'stopped before the cluster was known'),
    )

  starting.defer(() => server.close(STOP_GRACE_MS))
  const metadata: { address: string; port: number }[] = []
  for (const { host, port } of config.listen.metadata) metadata.push(await server.listen(host, port))

  log.info({ version: runtime.version, node: config.node.name, metadata, admin: adminAddress }, 'listening')
  const running = starting.move()
  return {
    metadata,
    admin: adminAddress,
    metrics,
    stop: () => running.disposeAsync(),
  }
}

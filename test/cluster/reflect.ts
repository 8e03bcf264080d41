import type { KubernetesClient } from '../../src/kubernetes/client.ts'
import { createKubernetesClient } from '../../src/kubernetes/create-client.ts'
import { loadConnection } from '../../src/kubernetes/load-connection.ts'
import { createReflector, type Reflector } from '../../src/kubernetes/reflector.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics, type Metrics } from '../../src/lib/metrics.ts'

/** What a reflector is to keep equal. */
export interface ReflectOptions {
  /** The path of a kubeconfig. */
  readonly kubeconfig: string
  readonly resource: 'pods' | 'serviceaccounts'
  readonly fieldSelector?: string
  readonly metadataOnly?: boolean
  /** Changes the query of a request, and may take its time. */
  readonly query?: (
    query: Readonly<Record<string, string>>,
  ) => Promise<Record<string, string>> | Record<string, string>
}

/** One of the daemon's reflectors alone, with what it saw. */
export interface Reflection extends AsyncDisposable {
  readonly reflector: Reflector
  readonly metrics: Metrics
  /** The objects by key, as they came. */
  readonly objects: ReadonlyMap<string, Record<string, unknown>>
}

type Seen = { readonly metadata: { readonly namespace: string; readonly name: string } } & Record<
  string,
  unknown
>

/** Starts a reflector by the daemon's own client. */
export async function reflect(options: ReflectOptions): Promise<Reflection> {
  const { resource, fieldSelector, metadataOnly = false, query = (it) => ({ ...it }) } = options
  const metrics = createMetrics()
  const shared = { clock: systemClock, log: silentLog, metrics }
  const connection = await loadConnection({ kubeconfig: options.kubeconfig, env: {}, clock: systemClock })
  const client = createKubernetesClient(connection, shared)
  const changed: KubernetesClient = {
    ...client,
    request: async (request) => client.request({ ...request, query: await query(request.query ?? {}) }),
    watch: async (request) => client.watch({ ...request, query: await query(request.query ?? {}) }),
  }
  const objects = new Map<string, Seen>()
  const reflector = createReflector<Seen>({
    ...shared,
    client: changed,
    resource,
    path: `/api/v1/${resource}`,
    metadataOnly,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    decode: (object) => object as Seen,
    store: {
      upsert: (object) => objects.set(`${object.metadata.namespace}/${object.metadata.name}`, object),
      remove: (key) => objects.delete(key),
      keys: () => objects.keys(),
    },
  })
  reflector.start()
  return {
    reflector,
    metrics,
    objects,
    async [Symbol.asyncDispose]() {
      await reflector.stop()
      await client.close()
    },
  }
}

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { configError } from './config-error.ts'
import type { KubernetesConnection } from './connection.ts'
import { inCluster, SERVICE_ACCOUNT_DIRECTORY } from './in-cluster.ts'
import { kubeconfig } from './kubeconfig.ts'

/** Where to look for an API server. */
export interface LoadConnectionOptions {
  /** `kubernetes.kubeconfig` of the configuration. */
  readonly kubeconfig?: string | undefined
  /** A context other than the kubeconfig's current one. */
  readonly context?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the daemon's own ServiceAccount is mounted. */
  readonly serviceAccountDirectory?: string
  readonly clock: Clock
}

/**
 * The connection to use: the named kubeconfig; else the cluster that the daemon runs in; else `$KUBECONFIG`.
 *
 * @throws MetadatadError `CONFIG_INVALID`
 */
export async function loadConnection(options: LoadConnectionOptions): Promise<KubernetesConnection> {
  const { context, env, clock, serviceAccountDirectory: directory = SERVICE_ACCOUNT_DIRECTORY } = options
  if (options.kubeconfig) return kubeconfig({ path: options.kubeconfig, context, env, clock })
  const host = env.KUBERNETES_SERVICE_HOST
  const port = env.KUBERNETES_SERVICE_PORT
  if (host && port && existsSync(join(directory, 'token'))) return inCluster({ host, port, directory, clock })
  const path = env.KUBECONFIG
  if (!path) {
    throw configError(
      'no API server: set kubernetes.kubeconfig or KUBECONFIG, or run in a pod with a service account',
    )
  }
  if (path.includes(delimiter))
    throw configError('KUBECONFIG names several files: name one in kubernetes.kubeconfig')
  return kubeconfig({ path, context, env, clock })
}

import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { bearerToken } from './bearer-token.ts'
import { configError } from './config-error.ts'
import type { KubernetesConnection } from './connection.ts'
import { tlsMemo } from './tls-memo.ts'
import { type WatchedFile, watchedFile } from './watched-file.ts'

/** Where every pod finds its ServiceAccount's token and the cluster's certificate authority. */
export const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'

/** How a pod knows its API server (Kubernetes, "Accessing the Kubernetes API from a Pod"). */
export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST`. */
  readonly host: string
  /** `KUBERNETES_SERVICE_PORT`. */
  readonly port: string
  /** Holds `token` and `ca.crt`. */
  readonly directory?: string
  readonly clock: Clock
}

/** The API server of the cluster that the daemon runs in, as the daemon's own ServiceAccount. */
export function inCluster(options: InClusterOptions): KubernetesConnection {
  const { host, port, directory = SERVICE_ACCOUNT_DIRECTORY, clock } = options
  const tokenFile = watchedFile(join(directory, 'token'), clock)
  const caFile = watchedFile(join(directory, 'ca.crt'), clock)
  const memo = tlsMemo()
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    async credentials(renew) {
      const [token, ca] = await Promise.all([
        read(tokenFile, renew, 'the service account token'),
        read(caFile, renew, "the cluster's ca.crt"),
      ])
      const tls = memo({ ca, cert: undefined, key: undefined, servername: undefined, insecure: false })
      return { token: bearerToken(token, `${directory}/token`), tls }
    },
  }
}

async function read(file: WatchedFile, renew: boolean, what: string): Promise<string> {
  try {
    return await file.read(renew)
  } catch (cause) {
    throw configError(`${what} can not be read`, cause)
  }
}

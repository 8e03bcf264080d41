import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostFiles } from '../../src/caller/proof/host-files.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { type Daemon, startDaemon } from '../../src/daemon.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createLog } from '../../src/lib/log.ts'
import { configText } from '../../src/sandbox/config-text.ts'
import type { Clouds } from '../../src/sandbox/start-clouds.ts'
import type { World } from './world.ts'

/** How to start a daemon in a real cluster. */
export interface DaemonOptions {
  /** The scenario's own unless said. */
  readonly node?: string
  /** Flags as on the command line, by config key: `{'caller.confirmWithin': '0'}`. */
  readonly flags?: Readonly<Record<string, string>>
  /** Further lines of the configuration (YAML). */
  readonly config?: string
  /** Instead of the ServiceAccount of `manifests/` in a pod of the node. */
  readonly kubeconfig?: string
  /** A host made up by the test, for proof by the kernel. */
  readonly hostFiles?: HostFiles
}

/** The real daemon, listening on loopback. */
export interface ClusterDaemon extends AsyncDisposable {
  readonly daemon: Daemon
  /** The clouds that it exchanges tokens with. */
  readonly sandbox: Clouds
  /** `127.0.0.1:port` where pods are answered. */
  readonly host: string
  /** `127.0.0.1:port` where container credentials are answered. */
  readonly containerHost: string
  readonly adminUrl: string
  /** What the daemon has logged so far, parsed. */
  readonly logged: readonly Record<string, unknown>[]
  readonly configFile: string
}

const NAMESPACE = 'metadatad'
/** The longest that a test may take. */
const TOKEN_SECONDS = 7_200

/** Writes a daemon's configuration into `directory` and starts it in this process; see `World.startDaemon`. */
export async function startDaemonIn(
  world: World,
  directory: string,
  { node = world.node, flags = {}, kubeconfig, hostFiles, config: more = '' }: DaemonOptions,
): Promise<ClusterDaemon> {
  const { plane, clouds } = world
  const user = kubeconfig ?? plane.kubeconfigOf({ token: await daemonToken(world, node) })
  await writeFile(join(directory, 'kubeconfig'), user, { mode: 0o600 })
  await writeFile(join(directory, 'ca.pem'), plane.ca.pem)
  const any = '127.0.0.1:0'
  const listen = { metadata: any, admin: any, containerCredentials: any }
  const text = configText(clouds, directory, { node, listen }) + more
  const configFile = join(directory, 'metadatad.yaml')
  await writeFile(configFile, text)
  const config = loadConfig({ file: { text, name: configFile }, env: {}, flags })
  const logged: Record<string, unknown>[] = []
  const log = createLog('debug', { write: (line) => logged.push(JSON.parse(line)) })
  const daemon = await startDaemon(config, { clock: systemClock, log, env: {}, version: 'test', hostFiles })
  return {
    daemon,
    sandbox: clouds,
    host: `127.0.0.1:${daemon.metadata[0]!.port}`,
    containerHost: `127.0.0.1:${daemon.metadata.at(-1)!.port}`,
    adminUrl: `http://127.0.0.1:${daemon.admin!.port}`,
    logged,
    configFile,
    [Symbol.asyncDispose]: () => daemon.stop(),
  }
}

/** The token that the kubelet of the node would give the daemon's pod: bound to that pod, and so to the node. */
async function daemonToken({ plane: { admin } }: World, node: string): Promise<string> {
  const name = `daemon-${node}`
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`
  const found = await admin.ask('GET', `${pods}/${name}`)
  const { metadata } =
    found.status === 200
      ? found.body
      : await admin.create(pods, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name, namespace: NAMESPACE },
          spec: {
            serviceAccountName: 'metadatad',
            nodeName: node,
            hostNetwork: true,
            containers: [{ name: 'metadatad', image: 'none' }],
          },
        })
  const review = await admin.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/metadatad/token`, {
    spec: {
      expirationSeconds: TOKEN_SECONDS,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid: metadata.uid },
    },
  })
  return review.status.token
}

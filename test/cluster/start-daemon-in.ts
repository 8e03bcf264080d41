import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostFiles } from '../../src/caller/proof/host-files.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { type Daemon, startDaemon } from '../../src/daemon.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createLog } from '../../src/lib/log.ts'
import { configText } from '../../src/sandbox/config-text.ts'
import type { Clouds } from '../../src/sandbox/start-clouds.ts'
import { daemonToken } from './tokens/daemon-token.ts'
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
  /** It answers nobody any more. */
  readonly isStopped: boolean
}

/** Writes a daemon's configuration into `directory` and starts it in this process; see `World.startDaemon`. */
export async function startDaemonIn(
  world: World,
  directory: string,
  { node = world.node, flags = {}, kubeconfig, hostFiles, config: more = '' }: DaemonOptions,
): Promise<ClusterDaemon> {
  const { plane, clouds } = world
  const user = kubeconfig ?? plane.kubeconfigOf({ token: await daemonToken(world, { node }) })
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
  let isStopped = false
  return {
    daemon,
    sandbox: clouds,
    host: `127.0.0.1:${daemon.metadata[0]!.port}`,
    containerHost: `127.0.0.1:${daemon.metadata.at(-1)!.port}`,
    adminUrl: `http://127.0.0.1:${daemon.admin!.port}`,
    logged,
    configFile,
    get isStopped() {
      return isStopped
    },
    [Symbol.asyncDispose]: () => {
      isStopped = true
      return daemon.stop()
    },
  }
}

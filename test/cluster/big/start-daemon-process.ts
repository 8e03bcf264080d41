import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { configText } from '../../../src/sandbox/config-text.ts'
import { adminPage, sampleSum } from '../../bench/admin-page.ts'
import { imageRuntime } from '../../bench/servers/image-runtime.ts'
import { spawnServer } from '../../bench/servers/start-server.ts'
import { eventually } from '../../support/eventually.ts'
import { daemonKubeconfig } from '../daemon-kubeconfig.ts'
import { freePort } from '../free-port.ts'
import type { World } from '../world.ts'

/** The daemon's bundle in a process of its own, run as the image runs it. */
export interface DaemonProcess extends AsyncDisposable {
  readonly pid: number
  /** `127.0.0.1:port` where pods are answered. */
  readonly host: string
  /** Until `/readyz` said yes. */
  readonly readySeconds: number
  /** Resolves when so many pods' access tokens are there; with the seconds since the start. */
  obtained(count: number): Promise<number>
}

/** @param url of a way to the API server */
export async function startDaemonProcess(world: World, url: string): Promise<DaemonProcess> {
  await promisify(execFile)(process.execPath, ['scripts/build.ts'])
  const directory = join(world.directory, 'process')
  await mkdir(directory)
  await writeFile(join(directory, 'kubeconfig'), await daemonKubeconfig(world, url), { mode: 0o600 })
  await writeFile(join(directory, 'ca.pem'), world.plane.ca.pem)
  const [port, adminPort] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')]
  const listen = { metadata: `127.0.0.1:${port}`, admin: `127.0.0.1:${adminPort}` }
  const configFile = join(directory, 'metadatad.yaml')
  await writeFile(configFile, configText(world.clouds, directory, { node: world.node, listen }))
  const { flags, env } = await imageRuntime()
  const args = [...flags, 'dist/metadatad.mjs', 'serve', '--config', configFile]
  const stop = new AbortController()
  const end = () => stop.abort()
  // A scenario that took too long disposes of nothing.
  process.once('exit', end)
  const server = spawnServer({ command: process.execPath, args, env, port }, stop.signal)
  const seconds = () => (performance.now() - server.startedAt) / 1_000
  await eventually(
    () => adminPage(adminPort, '/readyz'),
    (page) => page !== undefined,
  )
  return {
    pid: server.pid,
    host: listen.metadata,
    readySeconds: seconds(),
    async obtained(count) {
      const labels = ['kind="google-access-token"', 'outcome="ok"']
      await eventually(
        async () =>
          sampleSum(
            (await adminPage(adminPort, '/metrics')) ?? '',
            'metadatad_credentials_obtained_total',
            ...labels,
          ),
        (sum) => sum >= count,
      )
      return seconds()
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', end)
      await server[Symbol.asyncDispose]()
    },
  }
}

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostFiles } from '../../src/caller/proof/host-files.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { type Daemon, startDaemon } from '../../src/daemon.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { createLog } from '../../src/lib/log.ts'
import { SANDBOX_NODE } from '../../src/sandbox/names.ts'
import { sandboxMember, writeSandboxConfig } from '../../src/sandbox/sandbox-config.ts'
import type { Sandbox, SandboxPod } from '../../src/sandbox/sandbox-types.ts'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'

/** A sandbox and the real daemon before it, listening on loopback. */
export interface Metadatad extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly daemon: Daemon
  /** `127.0.0.1:port` where pods are answered. */
  readonly host: string
  /** `127.0.0.1:port` where container credentials are answered. */
  readonly containerHost: string
  readonly adminUrl: string
  /** What the daemon has logged so far, parsed. */
  readonly logged: readonly Record<string, unknown>[]
  /** Creates a running pod of the daemon's node; its ServiceAccount may impersonate the e-mail it is annotated with. */
  pod(
    ip: string,
    name: string,
    options?: { email?: string | undefined; granted?: boolean } & Partial<SandboxPod>,
  ): string
}

/** How to start. */
export interface StartOptions {
  /** Flags as on the command line, by config key: `{'caller.confirmWithin': '0'}`. */
  readonly flags?: Readonly<Record<string, string>>
  /** Called before the daemon starts. */
  readonly prepare?: (sandbox: Sandbox) => void
  /** Of the daemon and of what it talks to; the machine's own unless said otherwise. */
  readonly clock?: Clock
  /** A host made up by the test, for proof by the kernel. */
  readonly hostFiles?: HostFiles
  /** Changes the text of the configuration file, for what is no flag. */
  readonly amend?: (yaml: string) => string
}

/** Starts both; dispose of the result to stop them. */
export async function startMetadatad(options: StartOptions = {}): Promise<Metadatad> {
  const { clock = systemClock } = options
  await using starting = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-test-'))
  starting.defer(() => rm(directory, { recursive: true, force: true }))
  const sandbox = starting.adopt(await startSandbox({ clock }), (it) => it.close())
  const file = await writeSandboxConfig(sandbox, directory, {
    metadata: '127.0.0.1:0',
    admin: '127.0.0.1:0',
    containerCredentials: '127.0.0.1:0',
  })
  options.prepare?.(sandbox)
  const yaml = await readFile(file, 'utf8')
  const config = loadConfig({
    file: { text: options.amend?.(yaml) ?? yaml, name: file },
    env: {},
    flags: options.flags ?? {},
  })
  const logged: Record<string, unknown>[] = []
  const log = createLog('debug', { write: (line) => logged.push(JSON.parse(line)) })
  const runtime = { clock, log, env: {}, version: 'test', hostFiles: options.hostFiles }
  const daemon = starting.adopt(await startDaemon(config, runtime), (it) => it.stop())
  const running = starting.move()
  return {
    sandbox,
    daemon,
    host: `127.0.0.1:${daemon.metadata[0]!.port}`,
    containerHost: `127.0.0.1:${daemon.metadata.at(-1)!.port}`,
    adminUrl: `http://127.0.0.1:${daemon.admin!.port}`,
    logged,
    pod(ip, name, { email, granted = true, ...change } = {}) {
      const namespace = change.namespace ?? 'ns'
      const serviceAccountName = change.serviceAccountName ?? `sa-${name}`
      const annotations = email === undefined ? {} : { 'iam.gke.io/gcp-service-account': email }
      sandbox.kubernetes.applyServiceAccount(namespace, serviceAccountName, annotations)
      if (email !== undefined && granted)
        sandbox.google.grant(email, sandboxMember(namespace, serviceAccountName))
      return sandbox.kubernetes.createPod({
        namespace,
        name,
        serviceAccountName,
        nodeName: SANDBOX_NODE,
        ips: [ip],
        ...change,
      })
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

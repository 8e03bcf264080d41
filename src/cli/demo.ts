import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../config/load-config.ts'
import { startDaemon } from '../daemon.ts'
import { systemClock } from '../lib/clock.ts'
import { createLog } from '../lib/log.ts'
import { Secret } from '../lib/secret.ts'
import { sleep } from '../lib/sleep.ts'
import { writeSandboxConfig } from '../sandbox/sandbox-config.ts'
import { startSandbox } from '../sandbox/start-sandbox.ts'
import type { CliIo } from './cli-io.ts'
import { DEMO_PODS, type DemoPod, LAPTOP, prepareDemoPod, startDemoPod } from './demo-pods.ts'
import { askAsPod } from './demo-request.ts'
import { table } from './demo-table.ts'
import { thingsToTry } from './demo-things-to-try.ts'
import { VERSION } from './version.ts'

/** How the demo was asked for. */
export interface DemoOptions {
  /** End after the table instead of staying up. */
  readonly once: boolean
  readonly output: 'text' | 'json'
}

/** One row of the demo's table. */
interface Row {
  readonly pod: string
  readonly ip: string
  readonly serviceAccount: string
  readonly identity: string | undefined
  readonly token: string | undefined
  readonly expiresIn: number | undefined
  readonly coldMs: number
  readonly warmMs: number | undefined
  readonly refused: string | undefined
}

const METADATA_PORT = 8980
const ADMIN_PORT = 8981
/** What a call of Google costs from a data centre nearby. */
const CLOUD_LATENCY_MS = 50

/**
 * `metadatad demo`: a sandbox of a cluster and of Google, the real daemon before it, and pods that get tokens. The pods
 * have loopback addresses, so that the daemon tells them apart as it does in a cluster: by where a connection comes from.
 *
 * @returns the exit code
 */
export async function demo(options: DemoOptions, io: CliIo): Promise<number> {
  const say = (text: string) => options.output === 'text' && io.stdout.write(text)
  await using running = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-demo-'))
  running.defer(() => rm(directory, { recursive: true, force: true }))

  say('Starting a sandbox cluster, a sandbox Google Cloud and metadatad …\n')
  const sandbox = running.adopt(await startSandbox(), (it) => it.close())
  sandbox.google.latencyMs = CLOUD_LATENCY_MS
  const listen = {
    metadata: `127.0.0.1:${await freePort(METADATA_PORT)}`,
    admin: `127.0.0.1:${await freePort(ADMIN_PORT)}`,
  }
  const file = await writeSandboxConfig(sandbox, directory, listen)
  const config = loadConfig({ file: { text: await readFile(file, 'utf8'), name: file }, env: {}, flags: {} })
  const log = createLog('error', io.stderr)
  const daemon = running.adopt(
    await startDaemon(config, { clock: systemClock, log, env: {}, version: VERSION }),
    (it) => it.stop(),
  )

  const pods = (await canUse(DEMO_PODS[0]!.ip)) ? [...DEMO_PODS, LAPTOP] : [LAPTOP]
  if (pods.length === 1) {
    say(
      'This system has no loopback address but 127.0.0.1, so there is one pod only (on Linux there are six).\n',
    )
  }
  for (const pod of pods) prepareDemoPod(sandbox, pod)
  await untilReady(listen.admin)
  const rows: Row[] = []
  for (const pod of pods) {
    startDemoPod(sandbox, pod)
    rows.push(await rowOf(listen.metadata, pod))
  }

  if (options.output === 'json') {
    io.stdout.write(`${JSON.stringify({ listen, pods: rows })}\n`)
  } else {
    say(shown(rows))
    if (!options.once) say(thingsToTry(listen, pods))
  }
  if (!options.once) await new Promise<void>((resolve) => onAbort(io.signal, resolve))
  await daemon.stop()
  return rows.every((row, i) => (row.refused === undefined) === pods[i]!.granted) ? 0 : 1
}

/** Asks for the pod's token the moment it has started, and again. */
async function rowOf(daemon: string, pod: DemoPod): Promise<Row> {
  const account = 'instance/service-accounts/default'
  const cold = await askAsPod(daemon, pod.ip, `${account}/token`)
  const known = {
    pod: `${pod.namespace}/${pod.name}`,
    ip: pod.ip,
    serviceAccount: pod.serviceAccount,
    coldMs: cold.ms,
  }
  if (cold.status !== 200) {
    const refused = `${cold.status}: ${cold.body.trim()}`
    return {
      ...known,
      identity: pod.annotation,
      token: undefined,
      expiresIn: undefined,
      warmMs: undefined,
      refused,
    }
  }
  const token = JSON.parse(cold.body)
  const email = await askAsPod(daemon, pod.ip, `${account}/email`)
  const warm = await askAsPod(daemon, pod.ip, `${account}/token`)
  return {
    ...known,
    identity:
      pod.annotation === undefined ? `federated, as ${pod.namespace}/${pod.serviceAccount}` : email.body,
    token: new Secret(token.access_token).digest,
    expiresIn: token.expires_in,
    warmMs: warm.ms,
    refused: undefined,
  }
}

function shown(rows: readonly Row[]): string {
  const headings = [
    'POD',
    'SOURCE IP',
    'SERVICEACCOUNT',
    'GOOGLE IDENTITY',
    'TOKEN',
    'EXPIRES IN',
    'COLD MS',
    'WARM MS',
  ]
  const cells = rows.map((row) => [
    row.pod,
    row.ip,
    row.serviceAccount,
    row.identity ?? '(none)',
    row.token ?? 'refused (1)',
    row.expiresIn === undefined ? '-' : `${row.expiresIn} s`,
    row.coldMs.toFixed(0),
    row.warmMs?.toFixed(1) ?? '-',
  ])
  const refusals = rows
    .filter((row) => row.refused !== undefined)
    .map((row) => `(1) ${row.pod} got ${row.refused}`)
  return `
${table(headings, cells, new Set(['EXPIRES IN', 'COLD MS', 'WARM MS']))}
${refusals.join('\n').replaceAll(/^(?!\()/gm, '    ')}

Every token was obtained for that pod alone: its service-account token was exchanged with the sandbox's STS, which
verified its signature, and IAM decided. COLD is the pod's very first request, sent the moment it was created, at
${CLOUD_LATENCY_MS} ms per call of the cloud; WARM is the next one, on a new connection.
`
}

/** Waits until the daemon has heard from the cluster, 5 seconds at most: the pods' first requests are measured. */
async function untilReady(admin: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://${admin}/readyz`)
    await answer.text()
    if (answer.ok) return
    await sleep(systemClock, 50)
  }
}

function onAbort(signal: AbortSignal, fn: () => void): void {
  if (signal.aborted) fn()
  else signal.addEventListener('abort', fn, { once: true })
}

/** `wanted` if it is free on 127.0.0.1, else any port that is. */
async function freePort(wanted: number): Promise<number> {
  return (await bound('127.0.0.1', wanted)) ?? (await bound('127.0.0.1', 0))!
}

async function canUse(ip: string): Promise<boolean> {
  return (await bound(ip, 0)) !== undefined
}

function bound(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, host, () => {
      const address = server.address() as { port: number }
      server.close(() => resolve(address.port))
    })
  })
}

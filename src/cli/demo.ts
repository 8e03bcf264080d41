import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../config/load-config.ts'
import { startDaemon } from '../daemon.ts'
import { systemClock } from '../lib/clock.ts'
import { createLog } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import { writeSandboxConfig } from '../sandbox/sandbox-config.ts'
import { startSandbox } from '../sandbox/start-sandbox.ts'
import type { CliIo } from './cli-io.ts'
import { DEMO_PODS, type DemoPod, LAPTOP, prepareDemoPod, startDemoPod } from './demo-pods.ts'
import { demoReport } from './demo-report.ts'
import { type DemoRow, demoRows } from './demo-rows.ts'
import { thingsToTry } from './demo-things-to-try.ts'
import { VERSION } from './version.ts'

/** How the demo was asked for. */
export interface DemoOptions {
  /** End after the table instead of staying up. */
  readonly once: boolean
  readonly output: 'text' | 'json'
}

const METADATA_PORT = 8980
const ADMIN_PORT = 8981
/** What a call of a cloud costs from a data centre nearby. */
const CLOUD_LATENCY_MS = 50

/**
 * `metadatad demo`: a sandbox of a cluster and of three clouds, the real daemon before it, and pods that get credentials.
 * The pods have loopback addresses, so that the daemon tells them apart as it does in a cluster: by where a connection
 * comes from.
 *
 * @returns the exit code
 */
export async function demo(options: DemoOptions, io: CliIo): Promise<number> {
  const say = (text: string) => options.output === 'text' && io.stdout.write(text)
  await using running = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-demo-'))
  running.defer(() => rm(directory, { recursive: true, force: true }))

  say('Starting a sandbox cluster, a sandbox each of Google Cloud, AWS and Azure, and metadatad …\n')
  const sandbox = running.adopt(await startSandbox(), (it) => it.close())
  for (const cloud of [sandbox.google, sandbox.aws, sandbox.azure]) cloud.latencyMs = CLOUD_LATENCY_MS
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
      'This system has no loopback address but 127.0.0.1, so there is one pod only (on Linux there are seven).\n',
    )
  }
  for (const pod of pods) prepareDemoPod(sandbox, pod)
  await untilReady(listen.admin)
  const rows: DemoRow[] = []
  let right = true
  for (const pod of pods) {
    startDemoPod(sandbox, pod)
    const rowsOfPod = await demoRows(listen.metadata, sandbox, pod)
    rows.push(...rowsOfPod)
    right &&= rowsOfPod.every((row) => isRight(row, pod))
  }

  if (options.output === 'json') {
    io.stdout.write(`${JSON.stringify({ listen, rows })}\n`)
  } else {
    say(demoReport(rows, CLOUD_LATENCY_MS))
    const caFile = join(directory, 'ca.pem')
    if (!options.once) say(thingsToTry({ listen, pods, stsUrl: sandbox.aws.stsUrl, caFile }))
  }
  if (!options.once) await new Promise<void>((resolve) => onAbort(io.signal, resolve))
  await daemon.stop()
  return right ? 0 : 1
}

/** Did the pod get the identity that it is annotated with, or a refusal if that is what is due? */
function isRight({ cloud, identity, refused }: DemoRow, { identities, granted }: DemoPod): boolean {
  if (refused !== undefined) return !granted
  return granted && identity !== undefined && identity === (identities[cloud] ?? identity)
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

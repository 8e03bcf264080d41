import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ask } from '../support/ask.ts'
import type { BenchContext } from './bench-context.ts'
import type { Finding } from './finding.ts'
import { freePort } from './free-port.ts'
import type { LoadResult } from './load/load.ts'
import { runLoad } from './load/run-load.ts'
import { median } from './median.ts'
import { processUsage } from './process-usage.ts'
import { buildGoServer } from './servers/build-go-server.ts'
import { startDaemonProcess } from './servers/start-daemon.ts'
import { listening, type ServerProcess, spawnServer } from './servers/start-server.ts'
import { startWorld } from './world/start-world.ts'
import { podAddress, WORLDS } from './world/world.ts'

const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const SCOPED = `${TOKEN}?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_only`
const NODE_SERVER = fileURLToPath(new URL('servers/node-http.ts', import.meta.url))
/** As many pods ask at the same time. */
const PODS = Array.from({ length: 8 }, (_, i) => podAddress(i))
const SETTLE_MS = 3_000

interface Contestant {
  readonly name: string
  readonly server: ServerProcess
  readonly target: string
}

/** Answers per CPU second and their times, of the daemon and of servers that do nothing but answer, side by side. */
export async function measureWarm(context: BenchContext): Promise<Finding[]> {
  const { signal, say, quick } = context
  await using running = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-bench-'))
  running.defer(() => rm(directory, { recursive: true, force: true }))
  const world = running.use(await startWorld(WORLDS.small, 0, signal))
  const daemon = running.use(startDaemonProcess(world, [], signal))
  await listening(daemon, signal)
  const body = await warmBody(daemon)

  const contestants: Contestant[] = [
    { name: 'metadatad', server: daemon, target: TOKEN },
    { name: 'metadatad, scopes=', server: daemon, target: SCOPED },
  ]
  const plain = async (name: string, command: string, args: readonly string[], env = {}) => {
    const port = await freePort()
    const server = running.use(
      spawnServer({ command, args: [...args, String(port)], env: { BODY: body, ...env }, port }, signal),
    )
    await listening(server, signal)
    contestants.push({ name, server, target: TOKEN })
  }
  await plain('bare node:http', process.execPath, [NODE_SERVER])
  const go = await buildGoServer(directory)
  // One core, as Node has one: with more, Go's scheduler spends CPU time on looking for work.
  if (go !== undefined) await plain(`bare net/http (${go.version})`, go.program, [], { GOMAXPROCS: '1' })
  else say('no Go here: its server is left out')

  const results = new Map<string, LoadResult[]>()
  for (let round = 1; round <= (quick ? 1 : 3); round++) {
    for (const connections of [1, 32]) {
      for (const { name, server, target } of contestants) {
        const result = await runLoad(
          {
            port: server.port,
            from: PODS,
            connections,
            target,
            ms: quick ? 1_000 : 4_000,
            warmUpMs: quick ? 500 : 1_000,
            serverPid: server.pid,
          },
          signal,
        )
        if (Object.keys(result.failures).length > 0)
          throw new Error(`${name} failed: ${JSON.stringify(result.failures)}`)
        const key = `${name} ${connections}`
        results.set(key, [...(results.get(key) ?? []), result])
        say(
          `  round ${round}, ${connections} connection${connections === 1 ? '' : 's'}: ${name}: ${perCpuSecond(result).toFixed(0)} answers per CPU second (${(result.answers / result.seconds).toFixed(0)} per second)`,
        )
      }
    }
  }
  await sleep(SETTLE_MS, undefined, { signal })
  const { rssMiB } = processUsage(daemon.pid)
  return [
    ...findings(contestants, results),
    {
      what: 'resident memory, after this load',
      value: rssMiB,
      values: [rssMiB],
      unit: 'MiB',
      goal: undefined,
    },
  ]
}

/** The token's answer, once it and the one for other scopes are there. */
async function warmBody(daemon: ServerProcess): Promise<string> {
  const host = `127.0.0.1:${daemon.port}`
  let body = ''
  for (const ip of PODS) {
    for (const target of [SCOPED, TOKEN]) {
      const answer = await ask(host, target, { ip })
      if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.body}`)
      body = answer.body
    }
  }
  return body
}

function findings(
  contestants: readonly Contestant[],
  results: ReadonlyMap<string, readonly LoadResult[]>,
): Finding[] {
  const of = (name: string, connections: number) => results.get(`${name} ${connections}`)!
  const finding = (
    what: string,
    values: readonly number[],
    unit: Finding['unit'],
    goal?: Finding['goal'],
  ): Finding => ({ what, value: median(values), values, unit, goal })
  const found: Finding[] = []
  const yardsticks = contestants.slice(2)
  for (const { name } of contestants.slice(0, 2)) {
    for (const yardstick of yardsticks) {
      const base = of(yardstick.name, 32)
      const ratios = of(name, 32).map((result, i) => perCpuSecond(result) / perCpuSecond(base[i]!))
      found.push(
        finding(
          `${name} / ${yardstick.name}, 32 connections`,
          ratios,
          'x',
          yardstick === yardsticks[0] ? { atLeast: 0.8 } : undefined,
        ),
      )
    }
  }
  for (const { name } of contestants) {
    for (const connections of [1, 32]) {
      const at = `${name}, ${connections} connection${connections === 1 ? '' : 's'}`
      const runs = of(name, connections)
      found.push(
        finding(`${at}: answers`, runs.map(perCpuSecond), 'per CPU-s'),
        finding(
          `${at}: p50`,
          runs.map((run) => run.p50),
          'ms',
        ),
        finding(
          `${at}: p99`,
          runs.map((run) => run.p99),
          'ms',
        ),
      )
    }
  }
  return found
}

function perCpuSecond({ answers, serverCpuSeconds }: LoadResult): number {
  return answers / serverCpuSeconds
}

import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { processUsage } from '../../bench/process-usage.ts'
import { eventually } from '../../support/eventually.ts'
import { gsa, identityOf } from '../../support/pod-questions.ts'
import { addressOf, populate } from '../big/populate.ts'
import { reportStatus } from '../big/report-status.ts'
import { SIZE } from '../big/size.ts'
import { startDaemonProcess } from '../big/start-daemon-process.ts'
import { startFullWatch } from '../big/start-full-watch.ts'
import { Relay } from '../relay.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

/** After so long without work the garbage of the start has been collected as far as it will be. */
const SETTLE_MS = 3_000
const OBSERVED_SECONDS = 15
const PROBED = 10
/** The memory that manifests ask for, and a tenth for what differs from machine to machine. */
const MOST_MIB = 96 * 1.1

/** What one daemon costs the API server of a big cluster, beside client-go's informers of every pod and every ServiceAccount. */
export const bigCluster: Scenario = {
  name: 'big-cluster',
  limitMs: 300_000,
  async run(world) {
    const { plane } = world
    const startedAt = performance.now()
    await populate(world)
    const filledSeconds = (performance.now() - startedAt) / 1_000
    await using ours = await Relay.to(plane.url)
    await using theirs = await Relay.to(plane.url)
    const cost = costOf(plane.apiServer.pid)

    await plane.audit.read()
    const daemonStart = cost(ours)
    await using daemon = await startDaemonProcess(world, ours.url)
    const warmSeconds = await daemon.obtained(SIZE.nodePods)
    const ourStart = daemonStart()
    const calls: string[] = []
    await eventually(
      async () => {
        for (const { verb, resource } of await plane.audit.read()) calls.push(`${verb} ${resource}`)
      },
      // No pod waits for this one.
      () => calls.includes('watch nodes'),
    )

    const plainStart = cost(theirs)
    await (await startFullWatch(world, theirs.url, 'uncompressed'))[Symbol.asyncDispose]()
    const theirPlainStart = plainStart()
    const fullStart = cost(theirs)
    await using full = await startFullWatch(world, theirs.url, 'compressed')
    const theirStart = fullStart()
    await setTimeout(SETTLE_MS)

    const [ourHour, theirHour] = [cost(ours), cost(theirs)]
    const reports = await reportStatus(world, OBSERVED_SECONDS)
    const [steady, theirSteady] = [ourHour(), theirHour()]
    const [daemonUsage, fullUsage] = [processUsage(daemon.pid), processUsage(full.pid)]

    assert.deepEqual(
      calls.filter((call) => call !== 'create serviceaccounts/token').sort(),
      ['watch nodes', 'watch pods', 'watch serviceaccounts'],
      'a start is three watches',
    )
    assert.equal(calls.length, 3 + SIZE.nodePods, 'and a token for each ServiceAccount')
    assert.ok(full.pods >= SIZE.pods && full.serviceAccounts >= SIZE.serviceAccounts)
    assert.ok(ourStart.bytes < theirPlainStart.bytes / 2, `${ourStart.bytes} bytes at start`)
    assert.ok(steady.bytes < theirSteady.bytes / 10, `${steady.bytes} bytes of ${theirSteady.bytes}`)
    assert.ok(daemonUsage.rssMiB < MOST_MIB, `${daemonUsage.rssMiB} MiB`)
    assert.ok(daemonUsage.rssMiB < fullUsage.rssMiB, 'memory does not grow with the cluster')

    const perHour = (bytes: number) => megabytes((bytes * 3_600) / OBSERVED_SECONDS)
    const used = ({ bytes, cpuSeconds }: Cost) =>
      `${megabytes(bytes)} and ${cpuSeconds.toFixed(1)} s of the API server's CPU`
    return {
      operations: SIZE.pods + SIZE.serviceAccounts,
      failures: 0,
      wrongIdentities: await wrongIdentities(world, daemon.host),
      apiCalls: calls.length,
      note: [
        `start ${calls.length} calls, ${used(ourStart)}, ready after ${daemon.readySeconds.toFixed(1)} s, all tokens after ${warmSeconds.toFixed(1)} s, ${daemonUsage.rssMiB.toFixed(0)} MiB`,
        `client-go ${full.requests} calls, ${used(theirStart)} (lists not compressed: ${used(theirPlainStart)}), ${full.seconds.toFixed(1)} s, ${fullUsage.rssMiB.toFixed(0)} MiB`,
        `an hour of ${(reports / OBSERVED_SECONDS).toFixed(1)} status reports a second ${perHour(steady.bytes)}, client-go ${perHour(theirSteady.bytes)}`,
        `filled in ${filledSeconds.toFixed(0)} s`,
      ].join('; '),
    }
  },
}

interface Cost {
  /** Both ways, as they are on the wire. */
  readonly bytes: number
  /** Of the API server, whoever it worked for. */
  readonly cpuSeconds: number
}

/** Begins to count what passes a relay; the returned function says what passed. */
function costOf(pid: number): (relay: Relay) => () => Cost {
  return (relay) => {
    const [bytes, { cpuSeconds }] = [relay.received + relay.sent, processUsage(pid)]
    return () => ({
      bytes: relay.received + relay.sent - bytes,
      cpuSeconds: processUsage(pid).cpuSeconds - cpuSeconds,
    })
  }
}

/** Asks as some of the node's pods. */
async function wrongIdentities({ clouds }: World, host: string): Promise<number> {
  let wrong = 0
  for (let i = 0; i < PROBED; i++) {
    const index = Math.floor((i * SIZE.nodePods) / PROBED)
    if ((await identityOf({ host, sandbox: clouds }, addressOf(index))) !== gsa(`big-${index}`)) wrong++
  }
  return wrong
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

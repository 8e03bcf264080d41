import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { eventually } from '../../support/eventually.ts'
import { BED } from '../bed/addresses.ts'
import { hardwareAddress } from '../bed/hardware-address.ts'
import { run } from '../bed/run.ts'
import { startLoad } from '../client/start-load.ts'
import { IPV4_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads, type Tally } from '../tally.ts'
import type { World } from '../world.ts'

const POISON = fileURLToPath(new URL('../client/poison_arp.py', import.meta.url))
const OVERHEAR = fileURLToPath(new URL('../client/overhear.py', import.meta.url))
const SECONDS = 6
/** The attack is ended before. */
const POISON_SECONDS = '600'
/** The neighbour's. */
const LOAD = [{ connections: 'new', workers: 1, pauseMs: 100, origin: IPV4_ORIGIN }] as const

/**
 * A pod with NET_RAW puts itself between its neighbour and the node on a shared bridge, both ways, and listens. Plain HTTP
 * can't be protected from that: what is to be seen is when it works, so that nobody believes otherwise.
 */
export const poisonedBridge: Scenario = {
  name: 'poisoned-bridge',
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
    // It passes on what it hears, so that nobody notices.
    const settings = ['ip_forward', 'conf/all/send_redirects', 'conf/eth0/send_redirects']
    const commands = settings.map((name, i) => `echo ${i === 0 ? 1 : 0} > /proc/sys/net/ipv4/${name}`)
    await world.pods[2].namespace.must('sh', '-c', commands.join(' && '))
    const filtered = await overhear(world, '1')
    const unfiltered = await overhear(world, '0')
    assert.ok(unfiltered.tokens > 0, 'the attack must work where nothing prevents it')
    assert.equal(filtered.tokens, 0)
    return {
      requests: filtered.seen.requests + unfiltered.seen.requests,
      failures: unfiltered.seen.failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: filtered.wrongIdentities + unfiltered.wrongIdentities,
      note: `expected: a bridged pod with NET_RAW that poisons both sides' ARP tables overhears ${unfiltered.tokens} of its neighbour's tokens where net.bridge.bridge-nf-call-iptables is 0 (the neighbour's failures: ${unfiltered.seen.text}); where it is 1, as kubeadm and kube-proxy want it, none, because the rules drop what does not come straight from the node (the neighbour: ${filtered.seen.text}); the mend is to drop NET_RAW, or a routed CNI`,
    }
  },
}

interface Overheard {
  /** By the neighbour, under attack. */
  readonly seen: Tally
  readonly wrongIdentities: number
  readonly tokens: number
}

async function overhear(world: World, bridgeFilter: '0' | '1'): Promise<Overheard> {
  const [, , listener, victim] = world.pods
  await writeFile('/proc/sys/net/bridge/bridge-nf-call-iptables', bridgeFilter)
  // Ended before the attack begins: what the daemon still had to answer would go to the listener, again and again.
  const unhindered = startLoad(victim, LOAD)
  await unhindered.answered
  const before = await endLoads(world, [unhindered])

  const own = await hardwareAddress(listener)
  const gateway = BED.bridgeGateway.ipv4
  const claims = [
    `${victim.spec.ipv4}=${await hardwareAddress('cni0')}`,
    `${gateway}=${await hardwareAddress(victim)}`,
  ]
  const poison = listener.spawn('python3', [POISON, POISON_SECONDS, ...claims], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const believed = async () => [
    await run('ip', 'neigh', 'show', victim.spec.ipv4, 'dev', 'cni0'),
    await victim.namespace.ip('neigh', 'show', gateway, 'dev', 'eth0'),
  ]
  await eventually(believed, (neighbours) => neighbours.every((it) => it.includes(own)))
  const load = startLoad(victim, LOAD)
  if (bridgeFilter === '0') await load.answered
  const heard = await listener.run('python3', [OVERHEAR, String(SECONDS), 'access_token'])
  assert.equal(heard.status, 0, heard.stderr)
  const seen = await endLoads(world, [load])
  assert.equal(poison.exitCode, null, 'the attack went on all the time')
  poison.kill('SIGKILL')
  const wrongIdentities = before.wrongIdentities + seen.wrongIdentities
  return { seen, wrongIdentities, tokens: Number(heard.stdout) }
}

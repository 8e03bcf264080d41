import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { BED } from '../bed/addresses.ts'
import { hardwareAddress } from '../bed/hardware-address.ts'
import { startLoad } from '../client/start-load.ts'
import { IPV4_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads, type Tally } from '../tally.ts'
import type { World } from '../world.ts'

const POISON = fileURLToPath(new URL('../client/poison_arp.py', import.meta.url))
const OVERHEAR = fileURLToPath(new URL('../client/overhear.py', import.meta.url))
const SECONDS = 6

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
      wrongIdentities: filtered.seen.wrongIdentities + unfiltered.seen.wrongIdentities,
      note: `expected: a bridged pod with NET_RAW that poisons both sides' ARP tables overhears ${unfiltered.tokens} of its neighbour's tokens where net.bridge.bridge-nf-call-iptables is 0 (the neighbour's failures: ${unfiltered.seen.text}); where it is 1, as kubeadm and kube-proxy want it, none, because the rules drop what does not come straight from the node (the neighbour: ${filtered.seen.text}); the mend is to drop NET_RAW, or a routed CNI`,
    }
  },
}

async function overhear(world: World, bridgeFilter: '0' | '1'): Promise<{ seen: Tally; tokens: number }> {
  const [, , listener, victim] = world.pods
  await writeFile('/proc/sys/net/bridge/bridge-nf-call-iptables', bridgeFilter)
  const [node, prey] = [await hardwareAddress('cni0'), await hardwareAddress(victim)]
  const load = startLoad(victim, [{ connections: 'new', workers: 1, pauseMs: 100, origin: IPV4_ORIGIN }])
  await load.answered
  const claims = [`${victim.spec.ipv4}=${node}`, `${BED.bridgeGateway.ipv4}=${prey}`]
  const [poisoned, heard] = await Promise.all([
    listener.run('python3', [POISON, String(SECONDS), ...claims]),
    listener.run('python3', [OVERHEAR, String(SECONDS), 'access_token']),
  ])
  assert.equal(poisoned.status, 0, poisoned.stderr)
  assert.equal(heard.status, 0, heard.stderr)
  return { seen: await endLoads(world, [load]), tokens: Number(heard.stdout) }
}

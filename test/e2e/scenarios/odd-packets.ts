import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { METADATA_ADDRESSES } from '../../../src/lib/metadata-addresses.ts'
import { BED } from '../bed/addresses.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const SEND_ODD_PACKETS = fileURLToPath(new URL('../client/send_odd_packets.py', import.meta.url))
const ADDRESSES = METADATA_ADDRESSES.map(({ address }) => address)

/** Pods with NET_RAW send what no client sends: nothing of it may leave the node, whatever its protocol. */
export const oddPackets: Scenario = {
  name: 'odd-packets',
  async run(world) {
    // Off by default in Linux; where it is on, a packet for the node itself may go on to a metadata address.
    for (const name of ['all', ...world.pods.slice(0, 2).map(({ spec }) => `cali-${spec.name}`), 'cni0'])
      await writeFile(`/proc/sys/net/ipv4/conf/${name}/accept_source_route`, '1')
    await send(world)
    const unhindered = await world.packetsAtCloud()
    assert.ok(unhindered > world.pods.length * ADDRESSES.length * 5, `${unhindered} packets`)

    await world.intercept('install')
    // What had got through, but had not arrived when it was counted, has by now.
    const before = await world.packetsAtCloud()
    await send(world)
    const withoutDaemon = await world.packetsAtCloud()
    const daemon = await world.startDaemon()
    await daemon.ready()
    await send(world)
    const packetsAtCloud = (await world.packetsAtCloud()) - before
    return {
      requests: 3 * world.pods.length * ADDRESSES.length,
      failures: 0,
      packetsAtCloud,
      wrongIdentities: 0,
      note: `ICMP, unknown protocols, stray TCP segments, fragments, source routes: ${unhindered} packets got through without rules, ${withoutDaemon - before} with them, ${packetsAtCloud} in all with them and the daemon`,
    }
  },
}

async function send({ pods }: World): Promise<void> {
  const node = BED.node.ipv4
  for (const pod of pods) {
    const sent = await pod.run('python3', [SEND_ODD_PACKETS, pod.spec.ipv4, node, ...ADDRESSES])
    assert.equal(sent.status, 0, sent.stderr)
  }
  // They are on their way for microseconds; nobody tells when the last has arrived.
  await setTimeout(500)
}

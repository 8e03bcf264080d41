import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { BedPod } from '../bed/pod.ts'
import type { Scenario } from '../scenario.ts'

const STAY_CONNECTED = fileURLToPath(new URL('../client/stay_connected.py', import.meta.url))
const ADDRESSES = ['169.254.169.254', 'fd00:ec2::254']
/** They are ended with the world. */
const SECONDS = 600
/** How often each asks in vain: for 3 s at least. */
const TURNS = 15

/** Pods that were connected to the raw metadata server before the rules came are cut off from it. */
export const alreadyOpen: Scenario = {
  name: 'already-open',
  async run(world) {
    const clients = world.pods.flatMap((pod) => ADDRESSES.map((address) => stayConnected(pod, address)))
    for (const { seen } of clients) while (seen.tcp < 3 || seen.udp < 3) await setTimeout(50)
    const before = await world.packetsAtCloud()
    assert.ok(before > 0)
    await world.intercept('install')
    // What had come before the rules is read in the turn that is under way, or in the next.
    await turns(clients, 2)
    const packets = await world.packetsAtCloud()
    const answered = clients.map(({ seen }) => seen.tcp + seen.udp)
    await turns(clients, TURNS)
    const later = clients.map(({ seen }) => seen.tcp + seen.udp)
    assert.deepEqual(later, answered)
    const packetsAtCloud = (await world.packetsAtCloud()) - packets
    return {
      requests: answered.reduce((sum, count) => sum + count, 0),
      failures: 0,
      packetsAtCloud,
      wrongIdentities: 0,
      note: `${clients.length} connections and as many UDP sockets that were answered by the raw server hear nothing more after \`intercept install\``,
    }
  },
}

interface Client {
  /** What it has printed so far, by word. */
  readonly seen: Readonly<Record<'tcp' | 'udp' | 'turns', number>>
}

/** Resolves when each of the clients has asked so many times more, and read what had come. */
async function turns(clients: readonly Client[], count: number): Promise<void> {
  // What they have printed by now may not have been read here.
  await setImmediate()
  const until = clients.map(({ seen }) => seen.turns + count)
  for (const [i, { seen }] of clients.entries()) while (seen.turns < until[i]!) await setTimeout(50)
}

function stayConnected(pod: BedPod, address: string): Client {
  const seen = { tcp: 0, udp: 0, turns: 0 }
  const child = pod.spawn('python3', [STAY_CONNECTED, address, String(SECONDS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout! }).on('line', (line) => {
    seen[line as keyof typeof seen]++
  })
  return { seen }
}

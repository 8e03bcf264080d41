import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { BedPod } from '../bed/pod.ts'
import type { Scenario } from '../scenario.ts'

const STAY_CONNECTED = fileURLToPath(new URL('../client/stay_connected.py', import.meta.url))
const ADDRESSES = ['169.254.169.254', 'fd00:ec2::254']
/** They are ended with the world. */
const SECONDS = 60

/** Pods that were connected to the raw metadata server before the rules came are cut off from it. */
export const alreadyOpen: Scenario = {
  name: 'already-open',
  async run(world) {
    const clients = world.pods.flatMap((pod) => ADDRESSES.map((address) => stayConnected(pod, address)))
    for (const { answers } of clients) while (answers.tcp < 3 || answers.udp < 3) await setTimeout(50)
    const before = await world.packetsAtCloud()
    assert.ok(before > 0)
    await world.intercept('install')
    // What was on its way when the rules came may still arrive.
    await setTimeout(300)
    const packets = await world.packetsAtCloud()
    const answered = clients.map(({ answers }) => answers.tcp + answers.udp)
    await setTimeout(3_000)
    const later = clients.map(({ answers }) => answers.tcp + answers.udp)
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

function stayConnected(pod: BedPod, address: string) {
  const answers = { tcp: 0, udp: 0 }
  const child = pod.spawn('python3', [STAY_CONNECTED, address, String(SECONDS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout! }).on('line', (line) => {
    answers[line as keyof typeof answers]++
  })
  return { answers }
}

import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EMAIL } from '../../support/pod-questions.ts'
import type { BedPod } from '../bed/pod.ts'
import { dialFrom } from '../client/dial-from.ts'
import { reversePathInstalled } from '../reverse-path-installed.ts'
import type { Scenario } from '../scenario.ts'

const SEND_SYNS = fileURLToPath(new URL('../client/send_syns.py', import.meta.url))
const TARGET = '169.254.169.254'
const SYNS = 20

// In the victim's namespace: answers to connections that it never opened.
const STRAY_ANSWERS = `
table inet bed {
  counter stray { }
  chain arrived {
    type filter hook prerouting priority -300
    ip saddr ${TARGET} tcp flags & (syn | ack) == syn | ack counter name stray
  }
}
`

/** A routed pod with NET_RAW sends packets with another pod's source address. */
export const spoofedSource: Scenario = {
  name: 'spoofed-source',
  async run(world) {
    const [attacker, victim] = world.pods
    const watching = await victim.namespace.run('nft', ['-f', '-'], { input: STRAY_ANSWERS })
    assert.equal(watching.status, 0, watching.stderr)

    await spoof(attacker, victim)
    const unhindered = await strayAnswers(victim)
    assert.ok(unhindered > 0, 'without rules, spoofed packets must get as far as to the raw server')
    const packetsBefore = await world.packetsAtCloud()

    const daemon = await world.startDaemon()
    await daemon.ready()
    await reversePathInstalled()
    await spoof(attacker, victim)
    const answered = (await strayAnswers(victim)) - unhindered

    // And with the address itself, which the attacker's namespace may have, but the node does not route there.
    await attacker.namespace.ip('addr', 'add', `${victim.spec.ipv4}/32`, 'dev', 'eth0')
    const dials = Array.from({ length: 5 }, () => ({
      protocol: 'tcp' as const,
      host: TARGET,
      port: 80,
      path: EMAIL,
      from: victim.spec.ipv4,
    }))
    const results = await dialFrom(attacker, dials, 3_000)
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      results.map(() => 'silent'),
    )
    return {
      requests: SYNS + dials.length,
      failures: answered,
      packetsAtCloud: (await world.packetsAtCloud()) - packetsBefore,
      wrongIdentities: results.filter(({ text }) => text.includes(victim.spec.email)).length,
      note: `${SYNS} SYNs in a neighbour's name: ${unhindered} answered without rules, ${answered} with them; with the neighbour's address on its own interface: nothing`,
    }
  },
}

async function spoof(attacker: BedPod, victim: BedPod): Promise<void> {
  const sent = await attacker.run('python3', [SEND_SYNS, victim.spec.ipv4, TARGET, String(SYNS)])
  assert.equal(sent.status, 0, sent.stderr)
  await setTimeout(500)
}

async function strayAnswers(victim: BedPod): Promise<number> {
  const listed = await victim.namespace.must('nft', 'list', 'counter', 'inet', 'bed', 'stray')
  return Number(/packets (\d+)/.exec(listed)![1])
}

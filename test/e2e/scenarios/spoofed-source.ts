import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EMAIL } from '../../support/pod-questions.ts'
import type { BedPod } from '../bed/pod.ts'
import { dialFrom } from '../client/dial-from.ts'
import { reversePathInstalled } from '../reverse-path-installed.ts'
import type { Scenario } from '../scenario.ts'

const SEND_SYNS = fileURLToPath(new URL('../client/send_syns.py', import.meta.url))
const FAMILIES = [
  { key: 'ipv4', target: '169.254.169.254', prefix: 32 },
  { key: 'ipv6', target: 'fd20:ce::254', prefix: 128 },
] as const
/** Of each family. */
const SYNS = 20

// In the victim's namespace: answers to connections that it never opened.
const STRAY_ANSWERS = `
table inet bed {
  counter ipv4 { }
  counter ipv6 { }
  chain arrived {
    type filter hook prerouting priority -300
    ip saddr ${FAMILIES[0].target} tcp flags & (syn | ack) == syn | ack counter name ipv4
    ip6 saddr ${FAMILIES[1].target} tcp flags & (syn | ack) == syn | ack counter name ipv6
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

    let unhindered = { ipv4: 0, ipv6: 0 }
    // The first packets may fall to neighbours that are not resolved yet.
    for (let i = 0; i < 5 && FAMILIES.some(({ key }) => unhindered[key] === 0); i++) {
      await spoof(attacker, victim)
      unhindered = await strayAnswers(victim)
    }
    for (const { key } of FAMILIES)
      assert.ok(
        unhindered[key] > 0,
        `without rules, spoofed ${key} packets must get as far as to the raw server`,
      )

    const daemon = await world.startDaemon()
    await daemon.ready()
    await reversePathInstalled()
    // Until the rules came, the raw server went on answering what it had got, and the victim resetting that.
    const before = await strayAnswers(victim)
    const packetsBefore = await world.packetsAtCloud()
    await spoof(attacker, victim)
    const all = await strayAnswers(victim)
    const answered = { ipv4: all.ipv4 - before.ipv4, ipv6: all.ipv6 - before.ipv6 }

    // And with the address itself, which the attacker's namespace may have, but the node does not route there.
    for (const { key, prefix } of FAMILIES) {
      const nodad = key === 'ipv6' ? ['nodad'] : []
      await attacker.namespace.ip('addr', 'add', `${victim.spec[key]}/${prefix}`, 'dev', 'eth0', ...nodad)
    }
    const dials = FAMILIES.flatMap(({ key, target: host }) =>
      Array.from({ length: 5 }, () => ({
        protocol: 'tcp' as const,
        host,
        port: 80,
        path: EMAIL,
        from: victim.spec[key],
      })),
    )
    const results = await dialFrom(attacker, dials, 3_000)
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      results.map(() => 'silent'),
    )
    return {
      requests: FAMILIES.length * SYNS + dials.length,
      failures: answered.ipv4 + answered.ipv6,
      packetsAtCloud: (await world.packetsAtCloud()) - packetsBefore,
      wrongIdentities: results.filter(({ text }) => text.includes(victim.spec.email)).length,
      note: `${SYNS} SYNs in a neighbour's name over IPv4 and as many over IPv6: ${unhindered.ipv4} and ${unhindered.ipv6} answers without rules, ${answered.ipv4} and ${answered.ipv6} with them; with the neighbour's addresses on its own interface: nothing`,
    }
  },
}

async function spoof(attacker: BedPod, victim: BedPod): Promise<void> {
  for (const { key, target } of FAMILIES) {
    const sent = await attacker.run('python3', [SEND_SYNS, victim.spec[key], target, String(SYNS)])
    assert.equal(sent.status, 0, sent.stderr)
  }
  await setTimeout(500)
}

async function strayAnswers(victim: BedPod): Promise<{ ipv4: number; ipv6: number }> {
  const count = async (key: 'ipv4' | 'ipv6') => {
    const listed = await victim.namespace.must('nft', 'list', 'counter', 'inet', 'bed', key)
    return Number(/packets (\d+)/.exec(listed)![1])
  }
  return { ipv4: await count('ipv4'), ipv6: await count('ipv6') }
}

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { EMAIL, TOKEN } from '../../support/pod-questions.ts'
import { hardwareAddress } from '../bed/hardware-address.ts'
import { dialFrom } from '../client/dial-from.ts'
import type { Scenario } from '../scenario.ts'

const POISON = fileURLToPath(new URL('../client/poison_arp.py', import.meta.url))

/** A pod takes its neighbour's address on a shared bridge, and has the node believe it: only proof tells them apart. */
export const stolenAddress: Scenario = {
  name: 'stolen-address',
  async run(world) {
    const [, , thief, victim] = world.pods
    const daemon = await world.startDaemon()
    await daemon.ready()
    const node = await hardwareAddress('cni0')
    await thief.namespace.ip('addr', 'add', `${victim.spec.ipv4}/24`, 'dev', 'eth0')
    const claim = `${victim.spec.ipv4}=${node}`
    const poison = thief.run('python3', [POISON, '12', claim])

    const questions = [EMAIL, TOKEN].map((path) => ({
      protocol: 'tcp' as const,
      host: '169.254.169.254',
      port: 80,
      path,
      from: victim.spec.ipv4,
    }))
    let requests = 0
    let connected = 0
    let stolen = 0
    for (let i = 0; i < 4; i++) {
      for (const { outcome, text } of await dialFrom(thief, questions, 2_500)) {
        requests++
        if (outcome === 'answered') connected++
        if (
          /^HTTP\/1\.\d 200 /.test(text) ||
          text.includes('access_token') ||
          text.includes(victim.spec.email)
        )
          stolen++
      }
    }
    const poisoned = await poison
    assert.equal(poisoned.status, 0, poisoned.stderr)
    assert.ok(connected > 0, `the theft (${claim}) did not even reach the daemon`)
    return {
      requests,
      failures: 0,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: stolen,
      note: `a bridged pod with its neighbour's address reached the daemon ${connected} times, and was given ${stolen} answers`,
    }
  },
}

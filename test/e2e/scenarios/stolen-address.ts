import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { EMAIL, TOKEN } from '../../support/pod-questions.ts'
import { BED } from '../bed/addresses.ts'
import { hardwareAddress } from '../bed/hardware-address.ts'
import { dialFrom } from '../client/dial-from.ts'
import type { Scenario } from '../scenario.ts'

const program = (name: string) => fileURLToPath(new URL(`../client/${name}`, import.meta.url))
/** The claims are ended before. */
const SECONDS = '600'
const [MIN_ROUNDS, MAX_ROUNDS] = [4, 20]

/** A pod takes its neighbour's address on a shared bridge, and has the node believe it: only proof tells them apart. */
export const stolenAddress: Scenario = {
  name: 'stolen-address',
  async run(world) {
    const [, , thief, victim] = world.pods
    const daemon = await world.startDaemon()
    await daemon.ready()
    const { ipv4, ipv6 } = victim.spec
    await thief.namespace.ip('addr', 'add', `${ipv4}/24`, 'dev', 'eth0')
    await thief.namespace.ip('addr', 'add', `${ipv6}/64`, 'dev', 'eth0', 'nodad')
    const claims = [
      [program('poison_arp.py'), SECONDS, `${ipv4}=${await hardwareAddress('cni0')}`],
      [program('claim_neighbour.py'), SECONDS, `${ipv6}=${BED.bridgeGateway.ipv6}`],
    ].map((args) => thief.spawn('python3', args, { stdio: ['ignore', 'ignore', 'inherit'] }))

    const questions = [EMAIL, TOKEN].flatMap((path) => [
      { protocol: 'tcp' as const, host: '169.254.169.254', port: 80, path, from: ipv4 },
      { protocol: 'tcp' as const, host: 'fd20:ce::254', port: 80, path, from: ipv6 },
    ])
    let requests = 0
    let stolen = 0
    const connected = { [ipv4]: 0, [ipv6]: 0 }
    const isReached = () => Object.values(connected).every((times) => times > 0)
    for (let i = 0; i < MIN_ROUNDS || (!isReached() && i < MAX_ROUNDS); i++) {
      for (const { outcome, text, from } of await dialFrom(thief, questions, 2_500)) {
        requests++
        if (outcome === 'answered') connected[from!]!++
        if (
          /^HTTP\/1\.\d 200 /.test(text) ||
          text.includes('access_token') ||
          text.includes(victim.spec.email)
        )
          stolen++
      }
    }
    for (const claim of claims) {
      assert.equal(claim.exitCode, null, 'the claims were made all the time')
      claim.kill('SIGKILL')
    }
    for (const [address, times] of Object.entries(connected))
      assert.ok(times > 0, `the theft of ${address} did not even reach the daemon`)
    return {
      requests,
      failures: 0,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: stolen,
      note: `a bridged pod with its neighbour's addresses reached the daemon ${connected[ipv4]} times over IPv4 and ${connected[ipv6]} over IPv6, and was given ${stolen} answers`,
    }
  },
}

import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { cannotNamespace } from '../support/net-namespace.ts'
import { ANSWER_MS, Bed, NEIGHBOUR, POD } from './bed.ts'

const skip = cannotNamespace('nft', 'sh')

t.test('the reverse-path rule drops a spoofed sender alone', { skip }, async (t) => {
  await using bed = await Bed.create()
  const interception = bed.interception({ allow: [{ address: '169.254.169.254', port: 53 }] })
  await bed.pod.ip('address', 'add', `${NEIGHBOUR.v4}/32`, 'dev', 'eth0')
  const spoofed = { protocol: 'udp', host: '169.254.169.254', port: 53, from: NEIGHBOUR.v4 } as const
  const honest = { protocol: 'udp', host: '169.254.169.254', port: 53, from: POD.v4 } as const

  await interception.install({ reversePath: false })
  await bed.dial(bed.pod, spoofed, 300)
  // The neighbours on its way are looked up first.
  const before = await eventually(
    () => bed.cloudPackets(),
    (count) => count > 0,
  )
  t.ok(before > 0, 'without it, a packet that bears the address of the neighbour arrives')

  await interception.install({ reversePath: true })
  t.equal(await bed.dial(bed.pod, spoofed, 300), 'timeout')
  t.equal(await bed.cloudPackets(), before)
  t.equal(await bed.dial(bed.pod, honest, ANSWER_MS), `cloud to ${POD.v4}`)
})

t.test(
  'the reverse-path rule is safe only where every pod is routed to a link of pods',
  { skip },
  async (t) => {
    await using bed = await Bed.create()
    const interception = bed.interception()
    await bed.node.ip('link', 'add', 'br0', 'type', 'bridge')
    await bed.node.ip('address', 'add', '10.7.0.1/24', 'dev', 'br0')
    await bed.node.ip('link', 'set', 'br0', 'up')
    await bed.node.ip('route', 'add', '10.6.0.0/24', 'via', '10.7.0.9')
    for (const [addresses, safe] of [
      [[POD.v4], true],
      [[POD.v4, POD.v6, NEIGHBOUR.v4], true],
      [['10.7.0.5'], true],
      [[], false],
      [[POD.v4, '8.8.8.8'], false],
      [['10.6.0.2'], false],
      [['10.8.0.1'], false],
      [['127.0.0.1'], false],
      [['not an address'], false],
    ] as const) {
      t.equal(await interception.reversePathSafe(addresses), safe, addresses.join(' '))
    }
  },
)

import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { REDIRECT_IPV4, REDIRECT_IPV6 } from '../../src/intercept/capture.ts'
import type { Interception } from '../../src/intercept/interception.ts'
import { METADATA_ADDRESSES } from '../../src/lib/metadata-addresses.ts'
import { eventually } from '../support/eventually.ts'
import { cannotNamespace } from '../support/net-namespace.ts'
import { ANSWER_MS, Bed, POD, whileServed } from './bed.ts'
import { withinServed } from './within-served.ts'

const skip = cannotNamespace('nft', 'sh', 'python3')
const ALLOW = [
  { address: '169.254.169.254', port: 53 },
  { address: '168.63.129.16', port: 123 },
] as const

/** Everything that the daemon would answer at, and the renewal that says so. */
async function serveAll(bed: Bed, interception: Interception): Promise<void> {
  await bed.serve(
    bed.node,
    interception.captures.map(({ primary }) => ({ protocol: 'tcp', ...primary, says: 'daemon' })),
  )
}

const renewAll = (interception: Interception) =>
  interception.renew(
    new Map(interception.captures.map(({ original, primary }) => [original.host, new Set([primary.port])])),
  )

/** One packet each of ICMP echo, SCTP, and a protocol that nobody speaks (RFC 3692: 253), from the pod. */
async function sendRaw(bed: Bed, address: string): Promise<void> {
  const send = `
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
for protocol in (58 if ':' in sys.argv[1] else 1, 132, 253):
    packet = bytes([128 if protocol == 58 else 8]) + bytes(31)
    socket.socket(family, socket.SOCK_RAW, protocol).sendto(packet, (sys.argv[1], 0))`
  await bed.pod.must('python3', '-c', send, address)
}

async function nodeReachesCloud(t: Test, bed: Bed): Promise<void> {
  const dials = METADATA_ADDRESSES.map(({ address: host }) => ({ protocol: 'tcp' as const, host, port: 80 }))
  const answers = METADATA_ADDRESSES.map(({ family }) => `cloud to ${family === 4 ? '10.8.0.1' : 'fd08::1'}`)
  t.strictSame(await bed.dialAll(bed.node, dials, ANSWER_MS), answers, 'the node reaches the cloud')
}

t.test('pods reach the daemon or nothing, and host processes the cloud', { skip }, async (t) => {
  await using bed = await Bed.create()
  t.equal(await bed.podReaches('169.254.169.254'), `cloud to ${POD.v4}`, 'before, the cloud answers')
  t.equal(await bed.podReaches('fd00:ec2::254'), `cloud to ${POD.v6}`)
  const dialled = await bed.settledPackets()
  await sendRaw(bed, '169.254.169.254')
  await sendRaw(bed, 'fd00:ec2::254')
  // What is sent is not yet what has arrived.
  const before = await eventually(
    () => bed.cloudPackets(),
    (count) => count >= dialled + 6,
  )
  t.equal(before, dialled + 6, 'and other protocols pass as well')

  const interception = bed.interception({ allow: ALLOW })
  await interception.install({ reversePath: true })
  await serveAll(bed, interception)

  for (const { original } of interception.captures) {
    await renewAll(interception)
    const pod = original.host.includes(':') ? POD.v6 : POD.v4
    t.equal(
      await whileServed(
        () => renewAll(interception),
        () => bed.podReaches(original.host),
      ),
      `daemon to ${pod}`,
      original.host,
    )
  }
  await renewAll(interception)
  const dials = METADATA_ADDRESSES.flatMap(({ address: host }) => [
    { protocol: 'tcp' as const, host, port: 8080 },
    { protocol: 'udp' as const, host, port: 5353 },
    ...(ALLOW.some(({ address, port }) => address === host && port === 53)
      ? []
      : [
          { protocol: 'tcp' as const, host, port: 53 },
          { protocol: 'udp' as const, host, port: 53 },
        ]),
    ...(host === '168.63.129.16' ? [] : [{ protocol: 'udp' as const, host, port: 123 }]),
  ])
  const direct = [REDIRECT_IPV4, REDIRECT_IPV6].map((host) => ({ protocol: 'tcp' as const, host, port: 988 }))
  const uncaptured = ['169.254.170.2', '169.254.170.23', 'fd00:ec2::23', '168.63.129.16'].map((host) => ({
    protocol: 'tcp' as const,
    host,
    port: 80,
  }))
  const barred = [...dials, ...direct, ...uncaptured]
  const outcomes = await bed.dialAll(bed.pod, barred)
  for (const [i, outcome] of outcomes.entries()) t.equal(outcome, 'timeout', JSON.stringify(barred[i]))
  for (const { address } of METADATA_ADDRESSES) {
    await sendRaw(bed, address)
  }
  t.equal(await bed.cloudPackets(), before, 'no packet reached the cloud')

  for (const [protocol, host, port] of [
    ['tcp', '169.254.169.254', 53],
    ['udp', '169.254.169.254', 53],
    ['udp', '168.63.129.16', 123],
  ] as const) {
    t.equal(
      await bed.dial(bed.pod, { protocol, host, port }, ANSWER_MS),
      `cloud to ${POD.v4}`,
      `allowed: ${host} ${port}`,
    )
  }
  await nodeReachesCloud(t, bed)
})

t.test('a flushed ruleset opens nothing: the second lock holds until it is mended', { skip }, async (t) => {
  await using bed = await Bed.create()
  const interception = bed.interception({ allow: ALLOW })
  await interception.install()
  await serveAll(bed, interception)
  await bed.node.must('nft', 'flush', 'ruleset')

  const everywhere = METADATA_ADDRESSES.map(({ address: host }) => ({
    protocol: 'tcp' as const,
    host,
    port: 80,
  }))
  t.strictSame(new Set(await bed.dialAll(bed.pod, everywhere)), new Set(['timeout']))
  await nodeReachesCloud(t, bed)
  t.equal(await bed.cloudPackets(), 0)
  t.equal(
    await bed.dial(bed.pod, { protocol: 'udp', host: '169.254.169.254', port: 53 }, ANSWER_MS),
    `cloud to ${POD.v4}`,
  )

  t.match((await interception.read()).drift, [
    { what: 'table', message: 'the table inet metadatad is missing' },
  ])
  await interception.install()
  await renewAll(interception)
  t.equal(
    await whileServed(
      () => renewAll(interception),
      () => bed.podReaches('169.254.169.254'),
    ),
    `daemon to ${POD.v4}`,
  )
})

t.test('a connection that was opened before the rules is cut', { skip }, async (t) => {
  await using bed = await Bed.create()
  // As on every node of a cluster: connections are tracked already, so that no rule of ours translates this one.
  await bed.node.must(
    'nft',
    'add table inet other; add chain inet other c { type filter hook forward priority 0; }; add rule inet other c ct state invalid drop',
  )
  const talk = `
    const socket = require('node:net').connect(80, process.argv[1])
    socket.on('data', () => process.stdout.write('!'))
    process.stdin.on('data', () => socket.write('?'))`
  for (const host of ['169.254.169.254', 'fd00:ec2::254']) {
    const child = bed.pod.spawn(process.execPath, ['-e', talk, host], { stdio: ['pipe', 'pipe', 'inherit'] })
    const answered = (ms: number) => once(child.stdout!, 'data', { signal: AbortSignal.timeout(ms) })
    child.stdin!.write('?')
    await answered(ANSWER_MS)
    const interception = bed.interception()
    await interception.install()
    const before = await bed.cloudPackets()
    child.stdin!.write('?')
    await t.rejects(answered(1_000), { name: 'AbortError' }, host)
    t.equal(await bed.cloudPackets(), before)
    // Listened for from before: the question may get through while the last of the rules are still taken away.
    const again = answered(60_000)
    await interception.remove()
    t.ok(await again, 'and lives again once the rules are gone: nothing else had ended it')
  }
})

t.test(
  "no other program's translation leads to a metadata address, to the daemon, or past it",
  { skip },
  async (t) => {
    await using bed = await Bed.create()
    const others = `table ip others {
    chain c {
      type nat hook prerouting priority dstnat;
      ip daddr 10.96.0.1 tcp dport 80 dnat to 168.63.129.16:80
      ip daddr 10.96.0.2 tcp dport 80 dnat to 169.254.169.254:80
      ip daddr 10.96.0.3 tcp dport 80 dnat to ${REDIRECT_IPV4}:988
      ip daddr 169.254.169.254 tcp dport 80 dnat to 10.8.0.1:8181
    }
  }\n`
    t.equal((await bed.node.run('nft', ['-f', '-'], { input: others })).status, 0)
    t.equal(await bed.podReaches('10.96.0.1'), `cloud to ${POD.v4}`, 'before, it does')
    const before = await bed.settledPackets()

    const interception = bed.interception()
    await interception.install()
    await serveAll(bed, interception)
    await bed.serve(bed.node, [{ protocol: 'tcp', host: '10.8.0.1', port: 8181, says: 'older agent' }])
    await renewAll(interception)
    t.equal(
      await whileServed(
        () => renewAll(interception),
        () => bed.podReaches('169.254.169.254'),
      ),
      `daemon to ${POD.v4}`,
      'the rules of an older agent come later',
    )
    const services = ['10.96.0.1', '10.96.0.2', '10.96.0.3'].map((host) => ({
      protocol: 'tcp' as const,
      host,
      port: 80,
    }))
    await renewAll(interception)
    t.strictSame(await bed.dialAll(bed.pod, services, 500), ['timeout', 'timeout', 'timeout'])
    t.equal(await bed.cloudPackets(), before)
    await bed.node.ip('address', 'del', `${REDIRECT_IPV4}/32`, 'dev', 'lo')
    await bed.cloud.ip('address', 'add', `${REDIRECT_IPV4}/32`, 'dev', 'lo')
    await bed.serve(bed.cloud, [{ protocol: 'tcp', host: REDIRECT_IPV4, port: 988, says: 'cloud' }])
    t.equal(
      await bed.podDials('169.254.169.254'),
      'timeout',
      'and what was redirected does not leave the node',
    )
  },
)

t.test('while nobody serves, SYNs are dropped and never refused', { skip }, async (t) => {
  await using bed = await Bed.create()
  const interception = bed.interception()
  await interception.install()
  await bed.pod.must(
    'nft',
    'add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in tcp flags & rst == rst counter',
  )
  for (const host of ['169.254.169.254', 'fd00:ec2::254', 'fd20:ce::254']) {
    t.equal(await bed.podDials(host), 'timeout', `${host}: nobody has said that he serves`)
    await renewAll(interception)
    t.equal(await bed.podDials(host), 'timeout', `${host}: there is no listener`)
  }
  t.match(await bed.pod.must('nft', 'list', 'table', 'inet', 't'), /packets 0 bytes 0/, 'no RST')

  await serveAll(bed, interception)
  // The kernel gives no event when an element's time is over.
  const left = async () => [...(await interception.read()).served.values()]
  while ((await left()).some(({ size }) => size > 0)) await setTimeout(100)
  t.equal(await bed.podDials('169.254.169.254'), 'timeout', 'the renewal has run out')
  const waiting = bed.podReaches('169.254.169.254')
  t.equal(
    await whileServed(
      () => renewAll(interception),
      () => waiting,
    ),
    `daemon to ${POD.v4}`,
    'who dialled meanwhile is served',
  )

  const released = new Map([['169.254.169.254', new Set([988, 1_988])]])
  const { served } = await withinServed(async () => {
    await renewAll(interception)
    await interception.release(released)
    return await interception.read()
  })
  t.equal(await bed.podDials('169.254.169.254'), 'timeout', 'nothing new arrives at what was released')
  t.strictSame([...served].filter(([, ports]) => ports.size === 0).flat(), ['169.254.169.254', new Set()])
  await interception.release(released)
  await interception.remove()
  await interception.release(released)
})

t.test('mode bind: the addresses are on the node, and nothing else of them answers', { skip }, async (t) => {
  await using bed = await Bed.create()
  const interception = bed.interception({ mode: 'bind' })
  await interception.install()
  await bed.serve(
    bed.node,
    interception.captures.flatMap(({ primary }) => [
      { protocol: 'tcp' as const, ...primary, says: 'daemon' },
      { protocol: 'tcp' as const, host: primary.host, port: 8080, says: 'other' },
    ]),
  )
  const hosts = ['169.254.169.254', 'fd00:ec2::254']
  for (const host of hosts) t.equal(await bed.podDials(host), 'timeout', 'not yet served')
  for (const host of hosts) {
    const pod = host.includes(':') ? POD.v6 : POD.v4
    t.equal(
      await whileServed(
        () => renewAll(interception),
        () => bed.podReaches(host),
      ),
      `daemon to ${pod}`,
    )
    t.equal(
      await whileServed(
        () => renewAll(interception),
        () => bed.podDials(host, 8080),
      ),
      'timeout',
    )
  }
  await bed.serve(bed.node, [{ protocol: 'tcp', host: '169.254.169.254', port: 8081, says: 'successor' }])
  const { generation } = await interception.read()
  t.ok(await interception.claim(new Map([['169.254.169.254', 8081]]), generation!))
  const renew = () => interception.renew(new Map([['169.254.169.254', new Set([8081])]]))
  t.equal(await whileServed(renew, () => bed.podReaches('169.254.169.254')), `successor to ${POD.v4}`)
  await bed.node.must('nft', 'flush', 'ruleset')
  await bed.node.ip('address', 'del', '169.254.169.254/32', 'dev', 'lo')
  t.equal(await bed.dial(bed.pod, { protocol: 'tcp', host: '169.254.169.254', port: 80 }, 500), 'timeout')
  t.equal(await bed.cloudPackets(), 0)
})

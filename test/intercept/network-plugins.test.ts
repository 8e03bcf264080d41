import t from 'tap'
import { cannotNamespace } from '../support/net-namespace.ts'
import { ANSWER_MS, Bed, NEIGHBOUR, POD, whileServed } from './bed.ts'

const skip = cannotNamespace('nft', 'sh', 'python3')

t.test("a load balancer's probes reach pods, and nobody can forge one to get out", { skip }, async (t) => {
  await using bed = await Bed.create()
  const nodePort = `table ip service {
    chain in {
      type nat hook prerouting priority dstnat
      ip daddr 10.8.0.1 tcp dport 30080 dnat to ${POD.v4}:8080
    }
    chain out {
      type nat hook postrouting priority srcnat
      ct status dnat masquerade
    }
  }\n`
  const loaded = await bed.node.run('nft', ['-f', '-'], { input: nodePort })
  t.equal(loaded.status, 0, loaded.stderr)
  await bed.serve(bed.pod, [{ protocol: 'tcp', host: POD.v4, port: 8080, says: 'healthy' }])
  await bed.interception().install({ reversePath: false })
  const azure = { protocol: 'tcp', from: '168.63.129.16' } as const
  t.match(await bed.dial(bed.cloud, { ...azure, host: '10.8.0.1', port: 30080 }, ANSWER_MS), 'healthy')
  t.match(await bed.dial(bed.cloud, { ...azure, host: POD.v4, port: 8080 }, ANSWER_MS), 'healthy')
  t.equal(await bed.podDials('168.63.129.16', 8080), 'timeout')

  // The pod as both ends: a SYN that claims to be the load balancer's, and the way back that it would open.
  const before = await bed.settledPackets()
  const forge = `
import socket, struct
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def send(source, sport, target, dport, flags):
    pair = socket.inet_aton(source) + socket.inet_aton(target)
    tcp = lambda check: struct.pack('!HHIIBBHHH', sport, dport, 1, 1, 0x50, flags, 8192, check, 0)
    packet = struct.pack('!BBHHHBBH', 0x45, 0, 40, 1, 0, 64, 6, 0) + pair
    raw.sendto(packet + tcp(checksum(pair + struct.pack('!HH', 6, 20) + tcp(0))), (target, 0))
for target, via in (('${NEIGHBOUR.v4}', '${POD.v4}'), ('${POD.v4}', '${POD.v4}')):
    send('168.63.129.16', 8080, target, 7777, 2)
    send(via, 7777, '168.63.129.16', 8080, 18)
    send(via, 7777, '168.63.129.16', 8080, 2)`
  await bed.node.must(
    'sh',
    '-c',
    'echo 0 >/proc/sys/net/ipv4/conf/pod0/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter',
  )
  await bed.pod.must('python3', '-c', forge)
  t.equal(await bed.cloudPackets(), before)
})

t.test(
  'no rule of a network plugin leads past the second lock, and none that is moved cuts it off',
  { skip },
  async (t) => {
    await using bed = await Bed.create()
    const interception = bed.interception()
    await interception.install()
    await bed.serve(
      bed.node,
      interception.captures.map(({ primary }) => ({ protocol: 'tcp', ...primary, says: 'daemon' })),
    )
    const ports = new Map(
      interception.captures.map(({ original, primary }) => [original.host, new Set([primary.port])]),
    )
    // Cilium moves the table of local addresses.
    for (const family of ['-4', '-6']) {
      await bed.node.ip(family, 'rule', 'add', 'pref', '100', 'lookup', 'local')
      await bed.node.ip(family, 'rule', 'del', 'pref', '0')
    }
    for (const host of ['169.254.169.254', 'fd00:ec2::254']) {
      const answer = await whileServed(
        () => interception.renew(ports),
        () => bed.podReaches(host),
      )
      t.equal(answer, `daemon to ${host.includes(':') ? POD.v6 : POD.v4}`)
    }
    // The AWS VPC CNI routes pods with security groups by the interface that they come from.
    await bed.node.ip('rule', 'add', 'pref', '10', 'iif', 'pod0', 'lookup', '101')
    await bed.node.ip('route', 'add', 'default', 'via', '10.8.0.254', 'table', '101')
    await bed.node.must('nft', 'flush', 'ruleset')
    t.equal(await bed.podDials('168.63.129.16'), 'timeout')
    t.equal(await bed.cloudPackets(), 0)
    // And the node's own default route need not be in the table `main`.
    await bed.node.ip('route', 'del', 'default')
    await bed.node.ip('route', 'add', 'default', 'via', '10.8.0.254', 'table', '200')
    await bed.node.ip('rule', 'add', 'pref', '30000', 'lookup', '200')
    t.equal(
      await bed.dial(bed.node, { protocol: 'tcp', host: '169.254.169.254', port: 80 }, ANSWER_MS),
      'cloud to 10.8.0.1',
    )
  },
)

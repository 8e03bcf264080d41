import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { METADATA_ADDRESSES } from '../../../src/lib/metadata-addresses.ts'
import { NetNamespace } from '../../support/net-namespace.ts'
import { runProgram } from '../run-program.ts'
import { LAB, nodeAddresses } from './addresses.ts'

const PROGRAM = fileURLToPath(new URL('../../e2e/bed/cloud-process.ts', import.meta.url))
const RULES = `
table inet lab {
  counter pods { }
  counter pods_dns_ntp { }
  counter nodes { }
  chain arrived {
    type filter hook prerouting priority -300
    iifname "lo" accept
    ip daddr { 169.254.0.0/16, 168.63.129.16 } jump counted
  }
  chain counted {
    ip saddr != ${LAB.pods} counter name nodes accept
    tcp dport 53 counter name pods_dns_ntp accept
    udp dport { 53, 123 } counter name pods_dns_ntp accept
    counter name pods
  }
}
`

/** How many packets arrived, by whose they were. */
export interface RawCounts {
  /** Of pods; those for DNS and NTP, which the overlay lets through, are not among them. */
  readonly pods: number
  /** Of nodes, and of pods on the nodes' network. */
  readonly nodes: number
}

/** The real metadata server of the nodes' cloud: owns every metadata address, and gives raw answers to everybody. */
export interface RawMetadata extends AsyncDisposable {
  /** Since it was started, or `forget` was called. */
  counts(): Promise<RawCounts>
  forget(): Promise<void>
}

/** Starts it in a namespace of its own at the data centre's switch. */
export async function startRawMetadata(nodes: number): Promise<RawMetadata> {
  await using starting = new AsyncDisposableStack()
  const namespace = starting.use(await NetNamespace.create('cloud'))
  const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace.name]
  await runProgram('ip', ['link', 'add', 'metadata', ...peer])
  await runProgram('ip', ['link', 'set', 'metadata', 'master', 'switch', 'up'])
  await namespace.ip('address', 'add', `${LAB.metadata}/24`, 'dev', 'eth0')
  await namespace.ip('link', 'set', 'eth0', 'up')
  for (const { address, family } of METADATA_ADDRESSES)
    await namespace.ip('address', 'add', `${address}/${family === 4 ? 32 : 128}`, 'dev', 'lo')
  for (let number = 1; number <= nodes; number++) {
    const { pods, address } = nodeAddresses(number)
    await namespace.ip('route', 'add', pods, 'via', address)
  }
  const loaded = await namespace.run('nft', ['-f', '-'], { input: RULES })
  if (loaded.status !== 0) throw new Error(loaded.stderr)
  const server = namespace.spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([
    once(server.stdout!, 'data'),
    once(server, 'exit').then(() => Promise.reject(new Error('the raw metadata server has ended'))),
  ])
  const running = starting.move()
  return {
    async counts() {
      const listed = await namespace.must('nft', '-j', 'list', 'counters')
      const { nftables } = JSON.parse(listed) as {
        nftables: { counter?: { name: string; packets: number } }[]
      }
      const packets = (name: string) =>
        nftables.find(({ counter }) => counter?.name === name)!.counter!.packets
      return { pods: packets('pods'), nodes: packets('nodes') }
    },
    async forget() {
      await namespace.must('nft', 'reset', 'counters')
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

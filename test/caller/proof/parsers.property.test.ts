import { endianness } from 'node:os'
import fc from 'fast-check'
import t from 'tap'
import { localIpv4 } from '../../../src/caller/proof/fib-trie.ts'
import { mappedIds } from '../../../src/caller/proof/id-map.ts'
import { localIpv6 } from '../../../src/caller/proof/if-inet6.ts'
import { podUid } from '../../../src/caller/proof/pod-directories.ts'
import { startTicks } from '../../../src/caller/proof/process-stat.ts'
import { type TcpEnd, TcpTables } from '../../../src/caller/proof/tcp-tables.ts'
import { canonicalAddress } from '../../../src/lib/address.ts'
import { bytesOf, type MemorySocket, socketRow } from './memory-host.ts'

const ipv4 = fc.ipV4().map((address) => canonicalAddress(address)!)
const ipv6 = fc
  .ipV6()
  .map((address) => canonicalAddress(address)!)
  .filter((address) => address.includes(':'))
const port = fc.integer({ min: 0, max: 65_535 })
const end = (address: fc.Arbitrary<string>): fc.Arbitrary<TcpEnd> => fc.record({ address, port })
const socket: fc.Arbitrary<MemorySocket> = fc.constantFrom(ipv4, ipv6).chain((address) =>
  fc.record({
    local: end(address),
    remote: end(address),
    state: fc.integer({ min: 1, max: 12 }),
    inode: fc.nat({ max: 5 }),
    dualStack: fc.boolean(),
  }),
)

function tablesOf(sockets: readonly MemorySocket[]): TcpTables {
  const isV6 = (it: MemorySocket) => it.dualStack === true || it.local.address.includes(':')
  const print = (rows: readonly MemorySocket[]) =>
    `header\n${rows.map((it, i) => `${socketRow(it, i)}\n`).join('')}`
  return new TcpTables(print(sockets.filter((it) => !isV6(it))), print(sockets.filter(isV6)))
}

const same = (a: TcpEnd, b: TcpEnd) => a.address === b.address && a.port === b.port

t.test(
  'a socket proves exactly when it is there, open, held by somebody, and has the same two ends',
  { skip: endianness() !== 'LE' && 'the rows are printed as on little-endian machines' },
  async () => {
    fc.assert(
      fc.property(
        fc.array(socket, { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.boolean(),
        (sockets, n, swap) => {
          const asked = sockets[n % sockets.length]!
          const [local, remote] = swap ? [asked.remote, asked.local] : [asked.local, asked.remote]
          const expected = sockets.some(
            (it) =>
              same(it.local, local) &&
              same(it.remote, remote) &&
              [1, 4, 5].includes(it.state!) &&
              it.inode !== 0,
          )
          return tablesOf(sockets).has(local, remote) === expected
        },
      ),
      { numRuns: 500 },
    )
  },
)

t.test('every state but ESTABLISHED and the two of FIN_WAIT proves nothing', async (t) => {
  const ends = { local: { address: '10.0.0.1', port: 1 }, remote: { address: '169.254.169.254', port: 80 } }
  const proving = Array.from({ length: 13 }, (_, state) => state).filter((state) =>
    tablesOf([{ ...ends, state }]).has(ends.local, ends.remote),
  )
  t.same(proving, [1, 4, 5])
  t.equal(tablesOf([{ ...ends, inode: 0 }]).has(ends.local, ends.remote), false)
})

t.test('a table of anything at all is read without an error, and proves nothing', async () => {
  const ends = [
    { address: '10.0.0.1', port: 1 },
    { address: '10.0.0.2', port: 2 },
  ] as const
  const text = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom(': ', '0100000A:0001 ', '0200000A:0002 ', '01 ', '\n', '0 '))
      .map((it) => it.join('')),
  )
  fc.assert(fc.property(text, text, (tcp, tcp6) => !new TcpTables(tcp, tcp6).has(...ends)))
})

t.test('the addresses of a trie are those with a local host route, 127.0.0.1 left out', async () => {
  const leaf = fc.record({
    address: fc.oneof(ipv4, fc.constant('127.0.0.1')),
    routes: fc.array(
      fc.constantFrom(
        '/32 host LOCAL',
        '/32 link BROADCAST',
        '/24 link UNICAST',
        '/8 host LOCAL',
        '/0 universe UNICAST',
      ),
    ),
  })
  fc.assert(
    fc.property(fc.array(leaf), (leaves) => {
      const text = leaves.flatMap(({ address, routes }, i) => [
        ...(i % 3 === 0 ? ['Local:', `  +-- ${address}/0 3 0 5`, '     /32 host LOCAL'] : []),
        `     |-- ${address}`,
        ...routes.map((route) => `        ${route}`),
      ])
      const expected = leaves.filter(
        ({ address, routes }) => routes.includes('/32 host LOCAL') && address !== '127.0.0.1',
      )
      return isSame(localIpv4(text.join('\n')), new Set(expected.map(({ address }) => address)))
    }),
  )
})

t.test('the IPv6 addresses are those of wider scope than the link', async () => {
  const line = fc.record({ address: ipv6, scope: fc.constantFrom(0x00, 0x10, 0x20, 0x40, 0x80) })
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map(({ address, scope }) => {
        const digits = bytesOf(address).map((byte) => byte.toString(16).padStart(2, '0'))
        return `${digits.join('')} 02 40 ${scope.toString(16).padStart(2, '0')} 80     eth0\n`
      })
      const expected = lines.filter(({ scope }) => scope !== 0x10 && scope !== 0x20)
      return isSame(localIpv6(text.join('')), new Set(expected.map(({ address }) => address)))
    }),
  )
})

t.test('the start of a process is found whatever it calls itself', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-composite' }), fc.nat(), (name, ticks) => {
      const before = Array.from({ length: 18 }, (_, i) => i - 1).join(' ')
      return startTicks(`123 (${name}) S ${before} ${ticks} 4096 7 (x\n`.replace(' (x', '')) === ticks
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => ['undefined', 'number'].includes(typeof startTicks(text))))
})

t.test('the ids of a map are added up, and anything else counts for nothing', async (t) => {
  t.equal(mappedIds('         0          0 4294967295\n'), 4_294_967_295)
  t.equal(mappedIds('         0       1000          1\n'), 1)
  t.equal(mappedIds('         0  131072  1000\n      1000  200000  64536\n'), 65_536)
  t.equal(mappedIds(''), 0)
  fc.assert(fc.property(fc.string(), (text) => mappedIds(text) >= 0))
})

const uid = fc.uuid()

t.test('a UID is read back from either spelling of its directory, and from no other name', async () => {
  const slice = fc.constantFrom('kubepods', 'kubepods-burstable', 'kubelet-kubepods-besteffort')
  fc.assert(
    fc.property(uid, slice, (it, within) => {
      const systemd = `${within}-pod${it.replaceAll('-', '_')}.slice`
      return (
        podUid(`pod${it}`, undefined) === it &&
        podUid(systemd, within) === it &&
        podUid(systemd, undefined) === undefined &&
        podUid(systemd, 'kubepods-other') === undefined &&
        podUid(`pod${it}`, within) === undefined &&
        podUid(`pod${it}.scope`, undefined) === undefined
      )
    }),
  )
  fc.assert(fc.property(fc.string(), (name) => podUid(`x${name}`, 'kubepods') === undefined))
})

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((it) => b.has(it))
}

import t from 'tap'
import { deadlineIn } from '../../../src/lib/deadline.ts'
import { sleep } from '../../../src/lib/sleep.ts'
import { settle } from '../../support/fake-clock.ts'
import { pod } from '../build.ts'
import { proofBench } from './bench.ts'
import { MemoryNamespace } from './memory-host.ts'

const A = '10.0.0.1'
const B = '10.0.0.2'

t.test('a pod whose status has no address yet is answered, and without waiting', async (t) => {
  const b = await proofBench()
  b.watch('a', { ips: [] })
  const { namespace } = b.host.sandbox('uid-a', A)
  const before = b.clock.now()
  t.equal(await b.ask(b.dial(namespace, A)), 'a')
  t.equal(b.clock.now(), before)
  t.equal(b.live.reads, 0)
})

t.test('nothing but the kernel says who it is while the API server shows the old owner', async (t) => {
  const b = await proofBench()
  b.watch('old')
  b.watch('new', { ips: [] })
  const { namespace } = b.host.sandbox('uid-new', A)
  t.equal(await b.ask(b.dial(namespace, A)), 'new')
})

t.test('two pods whose addresses were swapped get their own identity', async (t) => {
  const b = await proofBench()
  b.watch('a', { ips: [B] })
  b.watch('b', { ips: [A] })
  const a = b.host.sandbox('uid-a', A)
  const other = b.host.sandbox('uid-b', B)
  t.equal(await b.ask(b.dial(a.namespace, A)), 'a')
  t.equal(await b.ask(b.dial(other.namespace, B)), 'b')
})

t.test('a sandbox that is made anew has another namespace', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const first = b.host.sandbox('uid-a', A)
  t.equal(await b.ask(b.dial(first.namespace, A)), 'a')
  b.host.end(first)
  const second = b.host.sandbox('uid-a', B)
  t.equal(await b.ask(b.dial(second.namespace, B)), 'a')
  t.equal(await b.ask(b.dial(first.namespace, A)), 'CALLER_UNPROVED')
})

t.test('a neighbour that takes an address gets nothing, and its owner is answered as before', async (t) => {
  const b = await proofBench()
  b.watch('victim')
  b.watch('thief', { ips: [B] })
  const victim = b.host.sandbox('uid-victim', A)
  const thief = b.host.sandbox('uid-thief', B)
  t.equal(await b.ask(b.dial(victim.namespace, A)), 'victim')
  thief.namespace.addresses.add(A)
  t.equal(await b.ask(b.dial(thief.namespace, A)), 'CALLER_UNPROVED')
  t.equal(await b.ask(b.dial(victim.namespace, A)), 'victim')
  t.equal(await b.ask(b.dial(thief.namespace, B)), 'thief', 'and its own address is its own still')
})

t.test('an address that the API server gives to nobody yet is not given to one of two holders', async (t) => {
  const b = await proofBench()
  b.watch('victim', { ips: [] })
  b.watch('thief', { ips: [B] })
  const victim = b.host.sandbox('uid-victim', A)
  const thief = b.host.sandbox('uid-thief', A)
  t.equal(await b.ask(b.dial(thief.namespace, A)), 'CALLER_UNPROVED')
  const held = b.ask(b.dial(victim.namespace, A))
  b.watch('victim')
  t.equal(await held, 'victim')
})

t.test('a live read settles who of two holders owns the address', async (t) => {
  const b = await proofBench()
  b.watch('victim', { ips: [] })
  b.watch('thief', { ips: [] })
  b.live.pods = [pod('victim'), pod('thief', { ips: [B] })]
  const victim = b.host.sandbox('uid-victim', A)
  b.host.sandbox('uid-thief', A)
  t.equal(await b.ask(b.dial(victim.namespace, A)), 'victim')
})

t.test('one connection shown in two pods is nobody’s', async (t) => {
  const b = await proofBench()
  b.watch('a')
  b.watch('b', { ips: [] })
  const a = b.host.sandbox('uid-a', A)
  const other = b.host.sandbox('uid-b', A)
  const connection = b.dial(a.namespace, A)
  for (const socket of a.namespace.sockets) other.namespace.sockets.add(socket)
  t.equal(await b.ask(connection), 'CALLER_AMBIGUOUS')
})

t.test('an owner that has processes but shows no namespace keeps the address from others', async (t) => {
  const b = await proofBench()
  b.watch('owner')
  b.watch('other', { ips: [] })
  const nested = b.host.start(`${b.host.pod('uid-owner')}/container/nested`, new MemoryNamespace(A))
  const other = b.host.sandbox('uid-other', A)
  t.equal(await b.ask(b.dial(other.namespace, A)), 'CALLER_UNPROVED')
  b.host.end(nested)
  t.equal(await b.ask(b.dial(other.namespace, A)), 'other', 'until it has none')
})

t.test('a namespace that any user can make counts for nothing', async (t) => {
  const b = await proofBench()
  b.watch('victim')
  b.watch('forger', { ips: [B] })
  const victim = b.host.sandbox('uid-victim', A)
  const connection = b.dial(victim.namespace, A)
  const forged = new MemoryNamespace(A, B)
  for (const socket of victim.namespace.sockets) forged.sockets.add(socket)
  const container = b.host.start(`${b.host.pod('uid-forger')}/container`, forged)
  container.uidMap = '         0       1000          1\n'
  t.equal(await b.ask(connection), 'victim')
  t.equal(await b.ask(b.dial(forged, B)), 'CALLER_UNPROVED')
})

t.test('the oldest process shows the namespace, whatever younger ones are in', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const { namespace } = b.host.sandbox('uid-a', A)
  b.host.start(`${b.host.pod('uid-a')}/container`, new MemoryNamespace(A))
  t.equal(await b.ask(b.dial(namespace, A)), 'a')
})

t.test(
  'a pod that moves itself to another namespace is not proved any more, not even by a younger process',
  async (t) => {
    const b = await proofBench()
    b.watch('a')
    const process = b.host.sandbox('uid-a', A)
    t.equal(await b.ask(b.dial(process.namespace, A)), 'a')
    const { namespace } = process
    process.namespace = new MemoryNamespace(A)
    t.equal(await b.ask(b.dial(process.namespace, A)), 'CALLER_UNPROVED')
    b.host.end(process)
    b.host.start(`${b.host.pod('uid-a')}/container`, namespace)
    t.equal(await b.ask(b.dial(namespace, A)), 'CALLER_UNPROVED')
    t.same(b.warned, ['pod moved to another network namespace'])
  },
)

t.test('a process id that was used again during a read proves nothing of the pod that had it', async (t) => {
  const b = await proofBench()
  b.watch('a')
  b.watch('b', { ips: [B] })
  const a = b.host.sandbox('uid-a', A)
  b.host.sandbox('uid-b', B)
  t.equal(await b.ask(b.dial(a.namespace, A)), 'a')
  const later = new MemoryNamespace(A)
  const connection = b.dial(later, A)
  b.host.beforeRead = (path) => {
    if (path !== `/proc/${a.pid}/net/tcp`) return
    a.namespace = later
    a.startTicks = 77_777
    b.host.cgroups.get('/cgroup/kubepods/burstable/poduid-a/sandbox')!.delete(a.pid)
    b.host.beforeRead = () => {}
  }
  t.equal(await b.ask(connection), 'CALLER_UNPROVED')
})

t.test('a process that left the pod, or is in the host’s namespace, proves nothing', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const a = b.host.sandbox('uid-a', A)
  t.equal(await b.ask(b.dial(a.namespace, A)), 'a')
  b.host.cgroups.get('/cgroup/kubepods/burstable/poduid-a/sandbox')!.clear()
  t.equal(await b.ask(b.dial(a.namespace, A)), 'CALLER_UNPROVED')
  b.watch('h', { ips: ['192.0.2.1'] })
  b.host.start(`${b.host.pod('uid-h')}/container`, b.host.hostNamespace)
  t.equal(await b.ask(b.dial(b.host.hostNamespace, '192.0.2.1')), 'CALLER_UNPROVED')
})

t.test('a host-network pod is never identified, whatever namespace its processes are in', async (t) => {
  const b = await proofBench()
  b.watch('a', { hostNetwork: true })
  const { namespace } = b.host.sandbox('uid-a', A)
  t.equal(await b.ask(b.dial(namespace, A)), 'CALLER_UNPROVED')
  const unseen = await proofBench()
  unseen.live.pods = [pod('a', { hostNetwork: true })]
  const of = unseen.host.sandbox('uid-a', A)
  const session = unseen.open(unseen.dial(of.namespace, A))
  t.equal(await unseen.ask(session), 'CALLER_UNKNOWN', 'nor by a live read')
  unseen.watch('a', { hostNetwork: true })
  t.equal(await unseen.ask(session), 'CALLER_UNKNOWN', 'nor once the watch shows it')
})

t.test('a directory that imitates a pod inside a container is not one', async (t) => {
  const b = await proofBench()
  b.watch('victim', { ips: [] })
  const inside = `${b.host.pod('uid-a')}/container/kubepods/burstable/poduid-victim`
  const { namespace } = b.host.start(inside, new MemoryNamespace(A))
  t.equal(await b.ask(b.dial(namespace, A)), 'CALLER_UNPROVED')
})

t.test('a runtime’s own cgroup below a container’s counts, as crun makes it under systemd', async (t) => {
  const b = await proofBench()
  b.watch('a', { ips: [] })
  const { namespace } = b.host.start(
    `${b.host.pod('uid-a')}/crio-5f0c.scope/container`,
    new MemoryNamespace(A),
  )
  t.equal(await b.ask(b.dial(namespace, A)), 'a')
})

t.test('a connection to anything but the metadata address proves nothing', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const { namespace } = b.host.sandbox('uid-a', A)
  t.equal(await b.ask(b.dial(namespace, A, { remote: { address: '1.2.3.4', port: 80 } })), 'CALLER_UNPROVED')
  t.equal(await b.ask(b.dial(namespace, A, { state: 6, inode: 0 })), 'CALLER_UNPROVED')
  t.equal(await b.ask(b.dial(namespace, A, { dualStack: true })), 'a')
})

t.test('a socket that the first read missed is found by the second', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const { namespace } = b.host.sandbox('uid-a', A)
  await b.ask(b.dial(namespace, A))
  const connection = b.dial(namespace, A)
  const sockets = [...namespace.sockets]
  namespace.sockets.clear()
  b.host.tableReads.length = 0
  b.host.beforeRead = () => {
    if (b.host.tableReads.length === 1) for (const it of sockets) namespace.sockets.add(it)
  }
  t.equal(await b.ask(connection), 'a')
  t.equal(b.host.tableReads.length, 2)
})

t.test(
  'one read serves all the connections of a pod, and a flood of them is read 20 times a second',
  async (t) => {
    const b = await proofBench()
    b.watch('a')
    b.watch('b', { ips: [B] })
    const a = b.host.sandbox('uid-a', A)
    const other = b.host.sandbox('uid-b', B)
    await b.ask(b.dial(a.namespace, A))
    await b.ask(b.dial(other.namespace, B))
    await b.clock.advance(1_000)
    b.host.tableReads.length = 0
    const many = Array.from({ length: 200 }, () => b.ask(b.dial(a.namespace, A)))
    t.same(new Set(await Promise.all(many)), new Set(['a']))
    t.same(b.host.tableReads, [a.pid])

    b.host.tableReads.length = 0
    const stop = b.clock.now() + 1_000
    while (b.clock.now() < stop) {
      void b.ask(b.dial(a.namespace, A)).catch(() => {})
      await b.clock.advance(5)
    }
    t.ok(b.host.tableReads.length <= 21, `${b.host.tableReads.length} reads in a second`)
    const before = b.clock.now()
    const answer = await b.ask(b.dial(other.namespace, B))
    t.equal(answer, 'b')
    t.ok(b.clock.now() - before <= 50, 'and nobody waits behind it')
  },
)

t.test('pods with sockets by the thousand keep each other waiting, but none with few', async (t) => {
  const b = await proofBench()
  const loud = Array.from({ length: 4 }, (_, i) => {
    const address = `10.1.0.${i}`
    b.watch(`loud-${i}`, { ips: [address] })
    const { namespace, pid } = b.host.sandbox(`uid-loud-${i}`, address)
    for (let n = 0; n < 6_000; n++) b.dial(namespace, address, { remote: { address: B, port: 80 } })
    return { address, namespace, path: `/proc/${pid}/net/tcp6` }
  })
  b.watch('quiet')
  const { namespace } = b.host.sandbox('uid-quiet', A)
  b.host.beforeRead = (path) => (loud.some((it) => it.path === path) ? sleep(b.clock, 500) : undefined)
  const askLoud = ({ namespace, address }: (typeof loud)[number]) =>
    b
      .open(b.dial(namespace, address))
      .identify(deadlineIn(b.clock, 900))
      .then(
        () => 'answered',
        () => 'refused',
      )
  const flood = () => loud.map(askLoud)
  const pass = async () => {
    for (let turn = 0; turn < 20; turn++) await settle()
    await b.clock.advance(10)
  }
  const floods = flood()
  for (let i = 0; i < 150; i++) {
    if (i % 10 === 0) floods.push(...flood())
    await pass()
  }
  t.equal(await b.ask(b.dial(namespace, A), 450), 'quiet')
  for (let i = 0; i < 100; i++) await pass()
  t.ok((await Promise.all(floods)).includes('answered'), 'and they are answered in their turn')
})

t.test('a connection that was proved once is not proved again, and ends with its pod', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const { namespace } = b.host.sandbox('uid-a', A)
  const session = b.open(b.dial(namespace, A))
  t.equal(session.current(), undefined, 'the watch alone does not say')
  t.equal(await b.ask(session), 'a')
  namespace.sockets.clear()
  b.watch('a', { ips: [], labels: { changed: 'yes' } })
  t.same(session.current()?.pod.labels, { changed: 'yes' })
  const caller = session.current()!
  b.pods.remove('ns/a')
  t.equal(caller.valid, false)
  t.equal(session.current(), undefined)
  t.equal(await b.ask(session), 'CALLER_UNKNOWN')
  t.equal(b.clock.pending, 0)
})

t.test('a pod that the watch does not know is looked up by its UID with one live read', async (t) => {
  const b = await proofBench()
  b.live.pods = [pod('a', { ips: [] })]
  const { namespace } = b.host.sandbox('uid-a', A)
  const session = b.open(b.dial(namespace, A))
  t.equal(await b.ask(session), 'a')
  t.equal(b.live.reads, 1)
})

t.test(
  'a pod known from a live read only is no caller any more once the watch tells of its end',
  async (t) => {
    const b = await proofBench()
    b.live.pods = [pod('a')]
    const { namespace } = b.host.sandbox('uid-a', A)
    const session = b.open(b.dial(namespace, A))
    t.equal(await b.ask(session), 'a')
    const caller = session.current()!
    b.pods.upsert(pod('a'))
    b.pods.remove('ns/a')
    t.equal(caller.valid, false)
    b.live.pods = []
    t.equal(await b.ask(session), 'CALLER_UNKNOWN')
  },
)

for (const phase of ['Succeeded', 'Failed'] as const) {
  t.test(`a pod in phase ${phase} whose process still calls is that pod`, async (t) => {
    const b = await proofBench()
    b.watch('a', { phase })
    const { namespace } = b.host.sandbox('uid-a', A)
    t.equal(await b.ask(b.dial(namespace, A)), 'a')
  })
}

t.test('what the kernel can’t prove is left to the watch, where nobody else holds the address', async (t) => {
  const unprovable = [
    { runtimeClassName: 'gvisor' },
    { annotations: { 'metadatad.dev/translates-addresses': 'true' } },
  ]
  for (const change of unprovable) {
    const b = await proofBench({ sandboxedRuntimes: ['gvisor'] })
    b.watch('a', change)
    b.watch('thief', { ips: [B] })
    b.host.sandbox('uid-a')
    const thief = b.host.sandbox('uid-thief', B)
    const session = b.open(b.dial(new MemoryNamespace(), A))
    t.equal(await b.ask(session), 'a')
    t.equal(session.current()?.pod.name, 'a')
    thief.namespace.addresses.add(A)
    t.equal(await b.ask(b.dial(thief.namespace, A)), 'CALLER_UNPROVED')
    t.equal(await b.ask(b.dial(new MemoryNamespace(), A)), 'CALLER_UNPROVED')
  }
})

t.test('what is left to the watch is never another pod’s that could have been proved', async (t) => {
  const b = await proofBench({ watchConfirmedAt: () => 0 })
  const annotations = { 'metadatad.dev/translates-addresses': 'true' }
  b.watch('a', { annotations })
  b.host.sandbox('uid-a')
  b.live.pods = [pod('b')]
  t.equal(await b.ask(b.dial(new MemoryNamespace(), A)), 'CALLER_UNPROVED')
  b.live.pods = [pod('a', { annotations })]
  t.equal(await b.ask(b.dial(new MemoryNamespace(), A)), 'a')
})

t.test('a pod that the kubelet has cleared away is not answered for, whatever the watch shows', async (t) => {
  const b = await proofBench({ sandboxedRuntimes: ['gvisor'] })
  b.watch('a', { runtimeClassName: 'gvisor' })
  b.host.sandbox('uid-a')
  t.equal(await b.ask(b.dial(new MemoryNamespace(), A)), 'a')
  b.host.removePod('uid-a')
  t.equal(await b.ask(b.dial(new MemoryNamespace(), A)), 'CALLER_UNPROVED')
})

t.test('where proof is required there is no answer without it', async (t) => {
  const b = await proofBench({ mode: 'require', sandboxedRuntimes: ['gvisor'] })
  b.watch('a', { runtimeClassName: 'gvisor' })
  b.host.sandbox('uid-a')
  t.equal(await b.ask(b.dial(new MemoryNamespace(), A)), 'CALLER_UNPROVED')
})

t.test('a static pod is told that it has no service account', async (t) => {
  const b = await proofBench()
  b.watch('mirror', { serviceAccountName: '' })
  const { namespace } = b.host.sandbox('0123456789abcdef', A)
  t.equal(await b.ask(b.dial(namespace, A)), 'CALLER_NO_SERVICE_ACCOUNT')
})

t.test('a new pod on a static pod’s old address is not told that it is one', async (t) => {
  const b = await proofBench()
  b.watch('mirror', { serviceAccountName: '' })
  b.live.pods = [pod('a')]
  const { namespace } = b.host.sandbox('uid-a', A)
  t.equal(await b.ask(b.dial(namespace, A)), 'a')
})

t.test('a namespace with more addresses than are kept is taken to hold any', async (t) => {
  const b = await proofBench()
  b.watch('victim', { ips: [] })
  b.watch('thief', { ips: [B] })
  const victim = b.host.sandbox('uid-victim', A)
  const thief = b.host.sandbox('uid-thief', B)
  for (let i = 0; i < 1_100; i++) thief.namespace.addresses.add(`10.1.${i >> 8}.${i & 255}`)
  t.equal(await b.ask(b.dial(victim.namespace, A)), 'CALLER_UNPROVED')
  b.watch('victim')
  t.equal(await b.ask(b.dial(victim.namespace, A)), 'victim')
})

t.test('a host that can’t be read is a refusal that may be repeated', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const { namespace } = b.host.sandbox('uid-a', A)
  b.host.beforeRead = () => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  }
  const connection = b.dial(namespace, A)
  t.equal(await b.ask(connection), 'CALLER_UNPROVED')
  b.host.beforeRead = () => {}
  t.equal(await b.ask(connection), 'a')
  await settle()
  t.equal(b.clock.pending, 0)
})

t.test('a neighbour whose sockets are too many to read keeps nobody else from an answer', async (t) => {
  const b = await proofBench()
  b.watch('victim')
  b.watch('thief', { ips: [B] })
  const victim = b.host.sandbox('uid-victim', A)
  const thief = b.host.sandbox('uid-thief', A)
  b.host.beforeRead = (path) => {
    if (path === `/proc/${thief.pid}/net/tcp6`) throw Object.assign(new Error('long'), { code: 'EFBIG' })
  }
  t.equal(await b.ask(b.dial(victim.namespace, A)), 'victim')
  t.equal(await b.ask(b.dial(thief.namespace, A)), 'CALLER_UNPROVED')
  b.watch('victim', { ips: [] })
  t.equal(await b.ask(b.dial(victim.namespace, A)), 'CALLER_UNPROVED')
})

t.test('a neighbour whose processes are too many to list keeps nobody else from an answer', async (t) => {
  const b = await proofBench()
  b.watch('a', { ips: [] })
  b.watch('bomb', { ips: [B] })
  const a = b.host.sandbox('uid-a', A)
  const bomb = b.host.sandbox('uid-bomb', B)
  b.host.beforeRead = (path) => {
    if (path.endsWith('/poduid-bomb/sandbox/cgroup.procs'))
      throw Object.assign(new Error('long'), { code: 'EFBIG' })
  }
  t.equal(await b.ask(b.dial(a.namespace, A)), 'a')
  t.equal(await b.ask(b.dial(bomb.namespace, B)), 'CALLER_UNPROVED')
  a.namespace.addresses.add(B)
  t.equal(await b.ask(b.dial(a.namespace, B)), 'CALLER_UNPROVED', 'nor is it taken to be gone')
  b.host.beforeRead = () => {}
  t.equal(await b.ask(b.dial(bomb.namespace, B)), 'bomb')
})

t.test('a sandbox made anew whose process got the same id is another, and nothing has moved', async (t) => {
  const b = await proofBench()
  b.watch('a')
  const process = b.host.sandbox('uid-a', A)
  t.equal(await b.ask(b.dial(process.namespace, A)), 'a')
  process.startTicks = 77_777
  process.namespace = new MemoryNamespace(A)
  t.equal(await b.ask(b.dial(process.namespace, A)), 'a')
  t.same(b.warned, [])
})

t.test('a pod that came and went while a live read showed it is not the caller', async (t) => {
  const b = await proofBench()
  b.live.pods = [pod('a')]
  b.live.during = () => {
    b.live.pods = []
    b.live.during = () => {}
    b.pods.upsert(pod('a'))
    b.pods.remove('ns/a')
  }
  const { namespace } = b.host.sandbox('uid-a', A)
  t.equal(await b.ask(b.dial(namespace, A)), 'CALLER_UNKNOWN')
})

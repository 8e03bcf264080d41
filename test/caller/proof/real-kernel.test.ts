import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { cannotNamespace, type NetNamespace } from '../../support/net-namespace.ts'
import { METADATA_V4, METADATA_V6, NodeBed, type Spelling } from './node-bed.ts'

const A = '10.77.0.1'
const B = '10.77.0.2'
const who = { do: 'connect', to: METADATA_V4 }

const hasBoth =
  existsSync('/sys/fs/cgroup/unified/cgroup.procs') && existsSync('/sys/fs/cgroup/pids/cgroup.procs')
const skip =
  cannotNamespace('python3', 'unshare', 'setpriv') || (!hasBoth && 'both cgroup versions are needed')

// No less than the runner's own: a starved machine takes minutes for what else takes half of one.
const TIMEOUT = 900_000
t.setTimeout(TIMEOUT)

t.test('with real processes, namespaces and cgroups', { skip, timeout: TIMEOUT }, async (t) => {
  const spellings: (Spelling & { container: string; paused: boolean })[] = [
    { version: 1, driver: 'cgroupfs', container: '5f0c', paused: true },
    { version: 1, driver: 'systemd', container: 'cri-containerd-5f0c.scope', paused: true },
    { version: 2, driver: 'cgroupfs', container: 'crio-5f0c', paused: false },
    { version: 2, driver: 'systemd', container: 'crio-5f0c.scope', paused: false },
    { version: 2, driver: 'systemd', container: 'crio-5f0c.scope/container', paused: false },
    { version: 2, driver: 'cgroupfs', root: 'kubelet', container: '5f0c', paused: true },
    { version: 2, driver: 'systemd', root: 'kubelet', container: 'cri-containerd-5f0c.scope', paused: true },
  ]
  for (const { container, paused, ...spelling } of spellings) {
    const name = `version ${spelling.version}, ${spelling.driver}, ${spelling.root ?? ''} ${container}`
    t.test(`a pod without an address in its status is known by IPv4 and IPv6: ${name}`, async (t) => {
      await using bed = await NodeBed.create(spelling)
      const namespace = await bed.namespace(A, 'fd77::1')
      if (paused) await bed.pause('a', namespace)
      const a = await bed.agent(namespace, { pod: 'a', container })
      t.equal(await bed.serve(), 'listening')
      await bed.watch('a', { ips: [] })
      t.equal(await a.do(who), 'a')
      t.equal(await a.do({ ...who, to: METADATA_V6 }), 'a')
      t.equal(await a.do({ ...who, dualStack: true }), 'a', 'from a socket of IPv6, as Java’s are')
    })
  }

  t.test('without the kubelet’s cgroups there is no host view', async (t) => {
    await using bed = await NodeBed.create()
    t.equal(await bed.serve(), 'no host view')
  })

  t.test(
    'a new pod on a used address is itself while the API shows the old owner; so are two that swapped',
    async (t) => {
      await using bed = await NodeBed.create()
      const first = await bed.namespace(A)
      const old = await bed.pause('old', first)
      const other = await bed.namespace(B)
      await bed.pause('other', other)
      await bed.serve()
      await bed.watch('old', { ips: [A] })
      await bed.watch('other', { ips: [A, B] })
      const agent = await bed.agent(other, { pod: 'other' })
      t.equal(await agent.do(who), 'other')
      await old.end()
      await first[Symbol.asyncDispose]()
      const second = await bed.namespace(A)
      await bed.pause('new', second)
      await bed.watch('new', { ips: [B] })
      t.equal(await (await bed.agent(second, { pod: 'new' })).do(who), 'new')
      t.equal(await agent.do(who), 'other')
    },
  )

  t.test(
    'a pod that takes its neighbour’s address on a bridge gets nothing; the neighbour is served',
    async (t) => {
      await using bed = await NodeBed.create()
      const victimNamespace = await bed.bridged('10.78.0.2')
      const thiefNamespace = await bed.bridged('10.78.0.3')
      await bed.pause('victim', victimNamespace)
      await bed.pause('thief', thiefNamespace)
      await bed.serve()
      await bed.watch('victim', { ips: ['10.78.0.2'] })
      await bed.watch('thief', { ips: ['10.78.0.3'] })
      const victim = await bed.agent(victimNamespace, { pod: 'victim' })
      const thief = await bed.agent(thiefNamespace, { pod: 'thief' })
      const stranger = await bed.agent(thiefNamespace)
      t.equal(await victim.do(who), 'victim')
      t.equal(await thief.do(who), 'thief')
      // The victim closes first, and so keeps the connection's TIME_WAIT.
      t.equal(await victim.do({ ...who, from: '10.78.0.2', port: 41_001 }), 'victim')

      await thiefNamespace.ip('addr', 'add', '10.78.0.2/32', 'dev', 'eth0')
      await direct(bed, thiefNamespace)
      t.equal(await thief.do({ ...who, from: '10.78.0.2' }), 'CALLER_UNPROVED')
      t.equal(
        await thief.do({ ...who, from: '10.78.0.2', port: 41_001 }),
        'CALLER_UNPROVED',
        'the port of a TIME_WAIT',
      )
      t.equal(await stranger.do({ ...who, from: '10.78.0.2' }), 'CALLER_UNPROVED')
      // Whoever answers the node's ARP request first gets its packets; now it is the victim.
      await direct(bed, victimNamespace)
      t.equal(
        await victim.do({ ...who, from: '10.78.0.2' }),
        'victim',
        'while the thief still holds the address',
      )
    },
  )

  t.test('a TIME_WAIT of a pod proves nothing for whoever uses its address and port next', async (t) => {
    await using bed = await NodeBed.create()
    const namespace = await bed.bridged('10.78.0.2')
    await bed.pause('a', namespace)
    await bed.serve()
    await bed.watch('a', { ips: ['10.78.0.2'] })
    const a = await bed.agent(namespace, { pod: 'a' })
    t.equal(await a.do({ ...who, from: '10.78.0.2', port: 41_001 }), 'a')
    // Of no pod: the only trace of the connection is the one that the pod has left.
    const elsewhere = await bed.bridged('10.78.0.9')
    await elsewhere.ip('addr', 'add', '10.78.0.2/32', 'dev', 'eth0')
    await direct(bed, elsewhere)
    const stranger = await bed.agent(elsewhere)
    t.equal(await stranger.do({ ...who, from: '10.78.0.2', port: 41_001 }), 'CALLER_UNPROVED')
  })

  t.test('a namespace forged by an ordinary user gains nothing and denies nothing', async (t) => {
    await using bed = await NodeBed.create()
    const victimNamespace = await bed.namespace(A)
    const forgerNamespace = await bed.namespace(B)
    await bed.pause('victim', victimNamespace)
    // No pause process: the forged namespace is that of the pod's oldest process.
    const unprivileged = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const setUp = `ip link set lo up; for a in ${A} ${B} ${METADATA_V4}; do ip addr add $a/32 dev lo; done; exec "$@"`
    const forge = [...unprivileged, 'unshare', '-Urn', 'sh', '-c', setUp, 'sh']
    const forger = await bed.agent(forgerNamespace, { pod: 'forger' }, forge)
    t.equal(await forger.do({ do: 'listen', at: METADATA_V4 }), 'listening')
    t.equal(await forger.do({ ...who, forged: true, from: A, port: 41_001 }), 'forged')
    t.equal(await bed.serve(), 'listening')
    await bed.watch('victim', { ips: [] })
    await bed.watch('forger', { ips: [B] })
    const victim = await bed.agent(victimNamespace, { pod: 'victim' })
    t.equal(await victim.do({ ...who, from: A, port: 41_001 }), 'victim', 'before the API server knows it')
    await bed.watch('victim', { ips: [A] })
    t.equal(await victim.do({ ...who, from: A }), 'victim')
    const honest = await bed.agent(forgerNamespace, { pod: 'forger', container: 'second' })
    t.equal(await honest.do(who), 'forger', 'and its pod’s other containers are answered')
  })

  t.test('a pod’s process in the host’s namespace proves nothing', async (t) => {
    await using bed = await NodeBed.create()
    const a = await bed.agent(bed.node, { pod: 'a' })
    await bed.serve()
    await bed.watch('a', { ips: [METADATA_V4] })
    t.equal(await a.do(who), 'CALLER_UNPROVED')
  })

  t.test('a process id that another process got proves nothing', async (t) => {
    await using bed = await NodeBed.create()
    const namespace = await bed.namespace(A)
    const pauseProcess = await bed.pause('a', namespace)
    const stranger = await bed.agent(namespace)
    await bed.serve()
    await bed.watch('a', { ips: [A] })
    t.equal(await stranger.do(who), 'a', 'a process in the sandbox of a pod is the pod')
    const { pid } = pauseProcess
    await pauseProcess.end()
    let reused = false
    for (let attempt = 0; attempt < 50 && !reused; attempt++) {
      await writeFile('/proc/sys/kernel/ns_last_pid', String(pid - 1))
      const next = await bed.agent(namespace)
      reused = next.pid === pid
    }
    t.comment(
      reused ? `process id ${pid} was used again` : 'other programs of this machine took the process id',
    )
    t.equal(await stranger.do(who), 'CALLER_UNPROVED')
  })

  t.test('a pod that connects in a loop does not keep another from its first answer', async (t) => {
    await using bed = await NodeBed.create()
    const loud = await bed.namespace(A)
    const quiet = await bed.namespace(B)
    await bed.pause('loud', loud)
    await bed.pause('quiet', quiet)
    // A request of an AWS SDK is held for 450 ms, and is sent three times at least.
    const hold = 450
    await bed.serve(hold, 'strict')
    await bed.watch('loud', { ips: [] })
    await bed.watch('quiet', { ips: [] })
    const loops = await Promise.all(Array.from({ length: 4 }, () => bed.agent(loud, { pod: 'loud' })))
    const flood = Promise.all(loops.map((agent) => agent.do({ ...who, do: 'flood', times: 40 })))
    for (let i = 0; i < 5; i++) {
      const agent = await bed.agent(quiet, { pod: 'quiet' })
      let answer: unknown
      for (let attempts = 0; attempts < 3 && answer !== 'quiet'; ) {
        const asked = performance.now()
        answer = await agent.do(who)
        // One that comes later than it was held tells of a machine that stood still, not of the loop.
        if (performance.now() - asked < hold + 150) attempts++
      }
      t.equal(answer, 'quiet')
      await agent.end()
    }
    const answers = (await flood) as Record<string, number>[]
    t.ok(answers.every(({ quiet: wrong = 0 }) => wrong === 0))
    t.ok(answers.some((counts) => (counts.loud ?? 0) > 0))
  })
})

/** Has the node send what is for 10.78.0.2 to this namespace, as after an ARP request that it answered first. */
async function direct(bed: NodeBed, to: NetNamespace): Promise<void> {
  const { address } = JSON.parse(await to.ip('-j', 'link', 'show', 'eth0'))[0]
  await bed.node.ip('neigh', 'replace', '10.78.0.2', 'lladdr', address, 'dev', 'br0', 'nud', 'permanent')
}

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { METADATA_ADDRESSES } from '../../../src/lib/metadata-addresses.ts'
import { eventually } from '../../support/eventually.ts'
import { cannotNamespace, NetNamespace } from '../../support/net-namespace.ts'

const CAPTURED = METADATA_ADDRESSES.filter(({ serves }) => serves === 'instance').map(
  ({ address }) => address,
)
const BLOCKED = METADATA_ADDRESSES.filter(({ serves }) => serves !== 'instance').map(({ address }) => address)

/** A pod behind a routed veth, and a node that has the captured addresses and drops everything else. */
async function bed(): Promise<{ node: NetNamespace; pod: NetNamespace } & AsyncDisposable> {
  await using making = new AsyncDisposableStack()
  const node = making.use(await NetNamespace.create('node'))
  const pod = making.use(await NetNamespace.create('pod'))
  await node.ip('link', 'add', 'pod0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
  await node.ip('address', 'add', '10.9.0.1/24', 'dev', 'pod0')
  await node.ip('address', 'add', 'fd99::1/64', 'dev', 'pod0', 'nodad')
  await pod.ip('address', 'add', '10.9.0.2/24', 'dev', 'eth0')
  await pod.ip('address', 'add', 'fd99::2/64', 'dev', 'eth0', 'nodad')
  await node.ip('link', 'set', 'pod0', 'up')
  await pod.ip('link', 'set', 'eth0', 'up')
  await pod.ip('route', 'add', 'default', 'via', '10.9.0.1')
  await pod.ip('-6', 'route', 'add', 'default', 'via', 'fd99::1')
  // Without a limit on ICMP errors (icmp(7)), so that none of the expected ones is missing.
  for (const setting of ['ipv4.ip_forward=1', 'ipv6.conf.all.forwarding=1', 'ipv4.icmp_ratelimit=0'])
    await node.must('sysctl', '-qw', `net.${setting}`)
  for (const address of CAPTURED) await node.ip('address', 'add', address, 'dev', 'lo')
  for (const address of BLOCKED) await node.ip('route', 'add', 'blackhole', address)
  const rules = `table inet test { chain input { type filter hook input priority 0
    iif lo accept
    ip daddr 169.254.169.254 tcp dport != 80 drop
    ip daddr 169.254.169.254 udp dport 0-65535 drop
    ip6 daddr { fd00:ec2::254, fd20:ce::254 } tcp dport != 80 drop
    ip6 daddr { fd00:ec2::254, fd20:ce::254 } udp dport 0-65535 drop
  }
}`
  const ran = await node.run('nft', ['-f', '-'], { input: rules })
  if (ran.status !== 0) throw new Error(ran.stderr)
  const made = making.move()
  return { node, pod, [Symbol.asyncDispose]: () => made.disposeAsync() }
}

/** The lines of a log, one after the other. */
function linesOf(child: ChildProcess): () => Promise<Record<string, unknown>> {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return async () => {
    const { done, value } = await lines.next()
    if (done) throw new Error('the log has ended')
    return JSON.parse(value)
  }
}

/** What a probe finds amiss where a starved machine needs longer for an answer than it waits. */
const isLate = (message: string) => /was not answered$|\(connected, but no answer\)$/.test(message)

/** The next line that tells of more than a round that a starved machine was too slow for: there is another in a minute. */
function news(next: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown>> {
  return eventually(
    next,
    ({ msg, findings }) =>
      msg !== 'report not delivered' && !(Array.isArray(findings) && findings.every(isLate)),
  )
}

/** Starts what answers on the node; `next` gives the message of its next line. */
async function answering(node: NetNamespace, role: 'daemon' | 'raw', ...addresses: string[]) {
  const script = new URL('node-process.ts', import.meta.url).pathname
  const child = node.spawn(process.execPath, [script, role, ...addresses], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const next = linesOf(child)
  if ((await next()).msg !== 'listening') throw new Error(`${role} does not listen`)
  return { child, next }
}

const PROBE = ['src/main.ts', 'intercept', 'probe']

async function probeOnce(pod: NetNamespace, output: 'text' | 'json') {
  const ran = await pod.run(process.execPath, [...PROBE, '--once', '--output', output], {
    timeoutMs: 120_000,
  })
  return { ...ran, text: ran.stdout, json: () => JSON.parse(ran.stdout) }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  const exited = once(child, 'exit')
  child.kill(signal)
  return (await exited)[0]
}

t.setTimeout(900_000)
const skip = cannotNamespace('nft', 'sysctl')

t.test('a pod reports what it reaches of the metadata addresses', { skip }, async (t) => {
  await using made = await bed()
  const { node, pod } = made
  const daemon = await answering(node, 'daemon', ...CAPTURED)

  await t.test('the daemon learns that its pods reach it and nothing else', async (t) => {
    const probe = pod.spawn(process.execPath, [...PROBE, '--output', 'json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.match(await news(daemon.next), { msg: 'interception is proved' })
    const next = linesOf(probe)
    t.match(await next(), { msg: 'probing', intervalSeconds: 60 })
    t.match(await news(next), { msg: 'interception is proved' })
    t.equal(await end(probe, 'SIGTERM'), 0)
  })

  t.test(
    'a refusal, an ICMP error and what gets through are told to the daemon and to a person',
    async (t) => {
      // A closed port of the node's own address is answered with a reset.
      await node.must('nft', 'insert', 'rule', 'inet', 'test', 'input', 'tcp', 'dport', '443', 'accept')
      await node.must('nft', 'insert', 'rule', 'inet', 'test', 'input', 'udp', 'dport', '123', 'reject')
      await node.ip('route', 'replace', 'unreachable', '169.254.170.2')
      await node.ip('route', 'del', 'blackhole', '168.63.129.16')
      await node.ip('address', 'add', '168.63.129.16', 'dev', 'lo')
      await node.must(
        'nft',
        'add',
        'rule',
        'inet',
        'test',
        'input',
        'ip',
        'daddr',
        '168.63.129.16',
        'th',
        'dport',
        '!=',
        '{',
        '80,',
        '53',
        '}',
        'drop',
      )
      const raw = await answering(node, 'raw', '168.63.129.16')
      const { status, ok, undelivered, told } = await eventually(
        async () => {
          const { status, json } = await probeOnce(pod, 'json')
          const { ok, undelivered, findings } = json()
          const told: string[] = findings.map(({ message }: { message: string }) => message)
          return { status, ok, undelivered, told }
        },
        // Whether a datagram is answered too late can't be told from its silence.
        ({ undelivered, told }) =>
          undelivered === undefined &&
          !told.some(isLate) &&
          told.includes('168.63.129.16 udp/53 answered, and should be blocked'),
      )
      t.equal(status, 1)
      t.equal(ok, false)
      t.equal(undelivered, undefined)
      for (const message of [
        '169.254.169.254 tcp/443 was refused, and should be dropped (ECONNREFUSED)',
        'fd20:ce::254 tcp/443 was refused, and should be dropped (ECONNREFUSED)',
        '169.254.170.2 tcp/80 was refused, and should be dropped (EHOSTUNREACH)',
        '169.254.169.254 udp/123 was refused, and should be dropped (ECONNREFUSED)',
        '168.63.129.16 tcp/80 answered, and should be blocked (HTTP 404)',
        '168.63.129.16 udp/53 answered, and should be blocked',
      ]) {
        t.ok(told.includes(message), message)
      }
      t.notMatch(told, [/169\.254\.169\.254 tcp\/80/, /169\.254\.170\.23/])
      const heard = await eventually(daemon.next, ({ findings }) => isDeepStrictEqual(findings, told))
      t.match(heard, { msg: 'interception has gaps' })
      await end(raw.child, 'SIGKILL')
    },
  )

  await t.test('what answers in the place of the daemon gets no report', async (t) => {
    await end(daemon.child, 'SIGKILL')
    const raw = await answering(node, 'raw', '169.254.169.254')
    const { status, text } = await eventually(
      () => probeOnce(pod, 'text'),
      ({ text }) => /^169\.254\.169\.254 +tcp\/80 +answered +(?!connected, but no answer)/m.test(text),
    )
    t.equal(status, 1)
    t.match(text, /^169\.254\.169\.254 +tcp\/80 +answered +HTTP 404 +foreign$/m)
    t.match(text, /^metadatad does not answer this pod as its probe$/m)
    t.match(text, /^report not delivered: no metadata address was answered by metadatad$/m)
    await end(raw.child, 'SIGKILL')
  })
})

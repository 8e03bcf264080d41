import t, { type Test } from 'tap'
import { removeStartupTaint } from '../../src/daemon/startup-taint.ts'
import { createLog } from '../../src/lib/log.ts'
import type { SandboxTaint } from '../../src/sandbox/sandbox-types.ts'
import { sandboxClient } from '../kubernetes/sandbox-client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/until.ts'

const KEY = 'metadatad.dev/not-ready'
const OWN: SandboxTaint = { key: KEY, effect: 'NoSchedule' }
const OTHERS: readonly SandboxTaint[] = [
  { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
  { key: 'metadatad.dev/not-ready-2', value: 'x', effect: 'NoSchedule' },
]

/** Begins to remove the taint of `n1`; time moves on while it waits. */
async function begin(t: Test, options: { rights?: string[]; taints?: readonly SandboxTaint[] } = {}) {
  const { kubernetes, client } = await sandboxClient(t, options.rights ?? ['get nodes', 'patch nodes'])
  kubernetes.applyNode('n1', { taints: options.taints ?? [OTHERS[0]!, OWN, OTHERS[1]!] })
  const clock = new FakeClock()
  const state = { ready: false }
  const stop = new AbortController()
  const lines: Record<string, unknown>[] = []
  const log = createLog('info', { write: (line) => lines.push(JSON.parse(line)) })
  const ended = { yes: false }
  let underWay = 0
  const request: typeof client.request = async (call) => {
    underWay++
    try {
      return await client.request(call)
    } finally {
      underWay--
    }
  }
  const running = removeStartupTaint({
    client: { ...client, request },
    nodeName: 'n1',
    key: KEY,
    ready: () => state.ready,
    clock,
    log,
    signal: stop.signal,
  }).then(() => {
    ended.yes = true
  })
  t.teardown(async () => {
    stop.abort()
    await running
  })
  /** How often the API server was asked. */
  const calls = () => (kubernetes.calls.get('get nodes') ?? 0) + (kubernetes.calls.get('patch nodes') ?? 0)
  /** Lets time pass, but none while a call is under way, which would run into its deadline, until `condition` holds. */
  const pass = async (condition: () => boolean) => {
    while (!condition()) {
      await clock.advance(500)
      await until(() => underWay === 0)
    }
  }
  return { kubernetes, clock, state, stop, lines, ended, running, calls, pass }
}

t.test('the taint is removed once pods can be answered, and no other is', async (t) => {
  const { kubernetes, clock, state, lines, running, calls } = await begin(t)
  await clock.advance(5_000)
  t.equal(calls(), 0)
  state.ready = true
  await clock.advance(500)
  await running
  t.strictSame(kubernetes.taints('n1'), OTHERS)
  t.match(lines, [{ msg: 'startup taint removed', key: KEY, removed: 1 }])
  t.equal(calls(), 2)
})

t.test('every effect of it goes, in one patch', async (t) => {
  const taints = [
    { key: KEY, effect: 'NoExecute' },
    OTHERS[0]!,
    { key: KEY, effect: 'NoSchedule', value: 'yes' },
    { key: KEY, effect: 'PreferNoSchedule' },
  ] as const
  const { kubernetes, clock, state, running } = await begin(t, { taints })
  state.ready = true
  await clock.advance(500)
  await running
  t.strictSame(kubernetes.taints('n1'), [OTHERS[0]])
  t.equal(kubernetes.calls.get('patch nodes'), 1)
})

t.test('a node without it is left alone', async (t) => {
  const { kubernetes, clock, state, running, lines } = await begin(t, { taints: OTHERS })
  state.ready = true
  await clock.advance(500)
  await running
  t.equal(kubernetes.calls.get('patch nodes'), undefined)
  t.strictSame(lines, [])
})

t.test('taints that moved meanwhile, and conflicts, are met with another try', async (t) => {
  const { kubernetes, state, ended, pass, lines } = await begin(t)
  let calls = 0
  kubernetes.intercept = (call) => {
    if (call !== 'patch nodes') return undefined
    calls++
    // Between the daemon's reading and its patch.
    if (calls === 1) kubernetes.applyNode('n1', { taints: [OWN, ...OTHERS] })
    if (calls !== 2) return undefined
    return { status: 409, body: { kind: 'Status', status: 'Failure', reason: 'Conflict', code: 409 } }
  }
  state.ready = true
  await pass(() => ended.yes)
  t.equal(calls, 3)
  t.strictSame(kubernetes.taints('n1'), OTHERS)
  t.strictSame(
    lines.map(({ msg }) => msg),
    ['startup taint removed'],
  )
})

t.test('a missing right is named, once, and the taint goes when it is given', async (t) => {
  const { kubernetes, state, pass, lines, calls, ended } = await begin(t, { rights: ['get nodes'] })
  state.ready = true
  await pass(() => calls() >= 8)
  t.match(lines, [
    { level: 'warn', msg: 'startup taint stays: a right is missing', right: 'patch nodes', key: KEY },
  ])
  t.equal(lines.length, 1)
  t.equal(kubernetes.taints('n1').length, 3)
  t.notOk(ended.yes)
})

t.test(
  'an API server that can not be reached is told after some tries, and it ends when asked to',
  async (t) => {
    const { kubernetes, clock, state, pass, lines, stop, running } = await begin(t)
    kubernetes.intercept = () => ({ status: 503, body: {} })
    state.ready = true
    await pass(() => lines.length > 0)
    t.match(lines, [{ level: 'warn', msg: 'startup taint stays', err: { code: 'KUBERNETES_UNAVAILABLE' } }])
    stop.abort()
    await running
    t.equal(clock.pending, 0)
  },
)

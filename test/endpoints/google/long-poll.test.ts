import t from 'tap'
import { LongPolls } from '../../../src/endpoints/google/long-polls.ts'
import { startEndpoints, testCaller } from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'

const V1 = '/computeMetadata/v1'
const ZONE = `${V1}/instance/zone`
const ACCOUNT = `${V1}/instance/service-accounts/default/?recursive=true`

async function start(t: { teardown(fn: () => Promise<void>): void }) {
  const clock = new FakeClock()
  const endpoints = await startEndpoints({ clock })
  t.teardown(() => endpoints.close())
  const { ask } = endpoints
  /** Asks to wait for a change of the present value; settled once the poll is held. */
  async function poll(path: string, more = '', signal?: AbortSignal) {
    const { etag } = (await ask(path)).headers
    const timers = clock.pending
    const separator = path.includes('?') ? '&' : '?'
    const options = signal === undefined ? {} : { signal }
    const answer = ask(`${path}${separator}wait_for_change=true&last_etag=${etag}${more}`, options)
    await until(() => clock.pending > timers)
    return { answer, etag }
  }
  return { ...endpoints, clock, poll }
}

t.test('a poll ends with its timeout, with what there is', async (t) => {
  const { poll, clock } = await start(t)
  const { answer, etag } = await poll(ZONE, '&timeout_sec=60')
  await clock.advance(59_999)
  t.equal(clock.pending, 1)
  await clock.advance(1)
  t.equal((await answer).status, 200)
  t.equal((await answer).headers.etag, etag)
  t.equal(clock.pending, 0)
})

t.test('a poll without a timeout ends after an hour', async (t) => {
  const { poll, clock } = await start(t)
  const { answer } = await poll(ZONE)
  await clock.advance(3_600_000)
  t.equal((await answer).body, 'projects/123456789012/zones/europe-west1-b')
})

t.test('a poll without last_etag waits for the next change', async (t) => {
  const { ask, clock, facts } = await start(t)
  const answer = ask(`${ZONE}?wait_for_change=true`)
  await until(() => clock.pending === 1)
  facts.update({ uid: 'b2d9', labels: { 'topology.kubernetes.io/zone': 'here' } })
  t.equal((await answer).body, 'projects/123456789012/zones/here')
})

t.test('a change of something else does not end a poll', async (t) => {
  const { poll, clock, facts } = await start(t)
  const { answer, etag } = await poll(ZONE)
  facts.update({ uid: 'another', labels: { 'topology.kubernetes.io/zone': 'europe-west1-b' } })
  await until(() => clock.pending === 1)
  facts.update({ uid: 'another', labels: { 'topology.kubernetes.io/zone': 'there' } })
  t.equal((await answer).body, 'projects/123456789012/zones/there')
  t.not((await answer).headers.etag, etag)
})

t.test('a change of the pod’s identity ends a poll that shows it', async (t) => {
  const { poll, clock, identifier } = await start(t)
  const { answer } = await poll(ACCOUNT)
  await clock.advance(5000)
  // The same identity by another object: the poll goes on.
  identifier.set('127.0.0.1', testCaller('alpha'))
  await clock.advance(5000)
  t.ok(clock.pending > 0)
  identifier.set('127.0.0.1', testCaller('beta'))
  await clock.advance(1000)
  t.equal(JSON.parse((await answer).body).email, 'beta@my-project.iam.gserviceaccount.com')
  t.equal(clock.pending, 0)
})

t.test('a poll of a client that hung up leaves nothing behind', async (t) => {
  const { poll, clock } = await start(t)
  const abort = new AbortController()
  const { answer } = await poll(ACCOUNT, '', abort.signal)
  abort.abort()
  await t.rejects(answer, { code: 'ABORT_ERR' })
  await until(() => clock.pending <= 1)
  await clock.advance(1000)
  t.equal(clock.pending, 0)
})

t.test('one address may hold 32 polls, and another still can', async (t) => {
  const { ask, clock, facts } = await start(t)
  const polls = Array.from({ length: 32 }, () => ask(`${ZONE}?wait_for_change=true`))
  await until(() => clock.pending === 32)
  const refused = await ask(`${ZONE}?wait_for_change=true`)
  t.equal(refused.status, 503)
  t.equal(refused.headers['retry-after'], '5')
  t.equal((await ask(ZONE)).status, 200)
  const other = ask(`${ZONE}?wait_for_change=true`, { from: '127.0.1.2' })
  await until(() => clock.pending === 33)
  facts.update({ uid: 'b2d9', labels: {} })
  for (const answer of await Promise.all([...polls, other])) {
    t.equal(answer.body, 'projects/123456789012/zones/europe-west1')
  }
  const again = ask(`${ZONE}?wait_for_change=true&timeout_sec=1`)
  await until(() => clock.pending === 1)
  await clock.advance(1000)
  t.equal((await again).status, 200, 'their places are free again')
})

t.test('a poll whose pod goes is refused after 900 ms more', async (t) => {
  const { poll, clock, identifier } = await start(t)
  const { answer } = await poll(ACCOUNT)
  await clock.advance(5000)
  identifier.set('127.0.0.1', undefined)
  await clock.advance(1000)
  await until(() => identifier.waiting === 1)
  await clock.advance(900)
  t.match(await answer, { status: 503, body: 'This pod is not known yet. Try again.\n' })
  t.equal(clock.pending, 0)
})

t.test('a poll that was held for its pod at first can be held for it again', async (t) => {
  const { ask, clock, identifier } = await start(t)
  const answer = ask(`${ACCOUNT}&wait_for_change=true`, { from: '127.0.1.4' })
  await until(() => identifier.waiting === 1)
  identifier.set('127.0.1.4', testCaller('alpha'))
  await until(() => clock.pending === 2)
  await clock.advance(5000)
  identifier.set('127.0.1.4', undefined)
  await clock.advance(1000)
  await until(() => identifier.waiting === 1)
  await clock.advance(500)
  identifier.set('127.0.1.4', testCaller('beta'))
  t.equal(JSON.parse((await answer).body).email, 'beta@my-project.iam.gserviceaccount.com')
})

t.test('a poll of a caller that is not valid ends, instead of being looked at for ever', async (t) => {
  const { ask, identifier } = await start(t)
  const caller = testCaller('alpha')
  identifier.set('127.0.0.1', caller)
  caller.valid = false
  t.match(await ask(`${ACCOUNT}&wait_for_change=true`), { status: 503, body: /is changing/ })
})

t.test('polls are bounded in all too', async (t) => {
  const polls = new LongPolls({ clock: new FakeClock(), total: 2, perAddress: 2 })
  const leave = polls.enter('127.0.1.1')
  t.ok(leave && polls.enter('127.0.1.2'))
  t.equal(polls.enter('127.0.1.3'), undefined)
  leave!()
  t.ok(polls.enter('127.0.1.3'))
})

import { once } from 'node:events'
import t, { type Test } from 'tap'
import { drain, startEndpoints, testCaller } from '../support/endpoint-fixture.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/until.ts'

const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const POLL = '/computeMetadata/v1/instance/zone?wait_for_change=true'
const one = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: metadata\r\nMetadata-Flavor: Google\r\n${more}\r\n`
const LAST = 'Connection: close\r\n'

t.test('a CONNECT whose client is gone before it is refused ends nothing but itself', async (t) => {
  const { ask, dial, close } = await startEndpoints()
  t.teardown(() => close())
  for (let i = 0; i < 20; i++) {
    const socket = await dial()
    socket.on('error', () => {})
    socket.write(`CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: a\r\n\r\n${'x'.repeat(100_000)}`)
    socket.resetAndDestroy()
  }
  t.equal((await ask(TOKEN)).status, 200)
})

/** A pod that asks for its token on a connection on which it waits for a change already. */
async function askBehindPoll(t: Test) {
  const clock = new FakeClock()
  const { dial, close, facts, identifier } = await startEndpoints({ clock })
  t.teardown(() => close())
  const socket = await dial()
  const text = drain(socket)
  socket.write(one(POLL) + one(TOKEN, LAST))
  await until(() => clock.pending === 1)
  const endPoll = () => facts.update({ uid: 'b2d9', labels: {} })
  return { clock, identifier, text, endPoll }
}

t.test('a token behind a request that waits is the one of the moment in which it is written', async (t) => {
  const { clock, identifier, text, endPoll } = await askBehindPoll(t)
  await clock.advance(600_000)
  identifier.set('127.0.0.1', testCaller('beta'))
  endPoll()
  const [, token] = (await text).split('HTTP/1.1 200 OK').slice(1)
  t.match(token, /"access_token":"ya29\.beta@my-project[^"]*","expires_in":3599,/)
})

t.test('a connection may have one request wait behind another as often as it likes', async (t) => {
  const clock = new FakeClock()
  const { dial, close } = await startEndpoints({ clock })
  t.teardown(() => close())
  const socket = await dial()
  for (let round = 0; round < 4; round++) {
    let text = ''
    const read = (chunk: Buffer) => {
      text += chunk
    }
    socket.on('data', read)
    socket.write(one(`${POLL}&timeout_sec=1`) + one('/'))
    await until(() => clock.pending === 1)
    await clock.advance(1_000)
    await until(() => text.includes('computeMetadata/') || socket.closed)
    t.match(text, /europe-west1-b[\s\S]*computeMetadata/, `round ${round}`)
    socket.off('data', read)
  }
})

t.test('a pod that is gone gets nothing that it had pipelined before', async (t) => {
  const { clock, identifier, text, endPoll } = await askBehindPoll(t)
  identifier.set('127.0.0.1', undefined)
  endPoll()
  await until(() => identifier.waiting === 1)
  await clock.advance(900)
  t.match(await text, /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 503 (?:(?!ya29)[\s\S])*$/)
})

t.test('polls that were pipelined hold no place after their connection is gone', async (t) => {
  const clock = new FakeClock()
  const { ask, dial, close } = await startEndpoints({ clock })
  t.teardown(() => close())
  const socket = await dial()
  socket.write(one('/') + one(POLL).repeat(2))
  await once(socket, 'data')
  await until(() => clock.pending > 0)
  socket.resetAndDestroy()
  await until(() => clock.pending === 0)
  const abort = new AbortController()
  const polls = Array.from({ length: 32 }, () => ask(POLL, { signal: abort.signal }))
  await until(() => clock.pending === 32)
  t.equal(clock.pending, 32, 'the address has all its places')
  abort.abort()
  await Promise.allSettled(polls)
})

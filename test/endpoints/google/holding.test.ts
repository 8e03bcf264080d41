import t from 'tap'
import { failure, startEndpoints, testCaller } from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'

const V1 = '/computeMetadata/v1'
const DEFAULT = `${V1}/instance/service-accounts/default`
const TOKEN = `${DEFAULT}/token`
const POD = '127.0.1.5'

async function start(t: { teardown(fn: () => Promise<void>): void }) {
  const clock = new FakeClock()
  const endpoints = await startEndpoints({ clock })
  t.teardown(() => endpoints.close())
  return { ...endpoints, clock }
}

function accessToken(body: string): string {
  return JSON.parse(body).access_token
}

t.test('a request of a pod that is not known yet is held until it is', async (t) => {
  const { ask, identifier } = await start(t)
  const asked = ['token', 'email', 'identity?audience=x', '?recursive=true'].map((leaf) =>
    ask(leaf.startsWith('?') ? `${DEFAULT}/${leaf}` : `${DEFAULT}/${leaf}`, { from: POD }),
  )
  await until(() => identifier.waiting === 4)
  identifier.set(POD, testCaller('late'))
  const answers = await Promise.all(asked)
  for (const { status, body } of answers) {
    t.equal(status, 200)
    t.match(body, /late@my-project/)
  }
})

t.test('after 900 ms it is a retryable 503, and nothing is left behind', async (t) => {
  const { ask, identifier, clock } = await start(t)
  const asked = ask(TOKEN, { from: POD })
  await until(() => identifier.waiting === 1)
  await clock.advance(899)
  t.equal(identifier.waiting, 1)
  await clock.advance(1)
  const answer = await asked
  t.equal(answer.status, 503)
  t.equal(answer.headers['retry-after'], '1')
  t.equal(answer.headers['metadata-flavor'], 'Google')
  t.equal(answer.body, 'This pod is not known yet. Try again.\n')
  t.equal(identifier.waiting, 0)
  t.equal(clock.pending, 0)
})

t.test('what does not depend on the pod is answered to an unknown one at once', async (t) => {
  const { ask } = await start(t)
  const paths = [
    'project/project-id',
    'instance/zone',
    'universe/universe-domain',
    'instance/',
    'project/?recursive=true',
  ]
  for (const path of [...paths, 'instance/attributes/cluster-name', 'instance/service-accounts']) {
    t.ok([200, 301].includes((await ask(`${V1}/${path}`, { from: POD })).status), path)
  }
})

t.test('a client that hangs up is not waited for', async (t) => {
  const { ask, identifier, clock } = await start(t)
  const abort = new AbortController()
  const asked = ask(TOKEN, { from: POD, signal: abort.signal })
  await until(() => identifier.waiting === 1)
  abort.abort()
  await t.rejects(asked, { code: 'ABORT_ERR' })
  await until(() => identifier.waiting === 0)
  t.equal(clock.pending, 0)
})

t.test(
  'an address that changes hands while its request waits gets the new pod’s token, never the old one’s',
  async (t) => {
    const { ask, credentials, identifier } = await start(t)
    identifier.set(POD, testCaller('old'))
    let release = () => {}
    let waiting = 0
    credentials.gate = ({ name }) => {
      waiting++
      return name === 'old' ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
    }
    const asked = ask(TOKEN, { from: POD })
    await until(() => waiting === 1)
    identifier.set(POD, testCaller('new'))
    release()
    const answer = await asked
    t.equal(answer.status, 200)
    t.equal(accessToken(answer.body), 'ya29.new@my-project.iam.gserviceaccount.com.2.pod-new')
  },
)

t.test('an answer that fails for a pod that is gone is not given to the next one', async (t) => {
  const { ask, credentials, identifier } = await start(t)
  identifier.set(POD, testCaller('old'))
  let fail = (_: Error) => {}
  let waiting = 0
  credentials.gate = ({ name }) => {
    waiting++
    return name === 'old' ? new Promise((_, reject) => (fail = reject)) : Promise.resolve()
  }
  const asked = ask(TOKEN, { from: POD })
  await until(() => waiting === 1)
  identifier.set(POD, testCaller('new'))
  fail(failure('EXCHANGE_REFUSED', false, 'Grant old the role.'))
  t.match(accessToken((await asked).body), /^ya29\.new@/)
})

t.test('a caller that is never valid when its answer is ready gets a retryable error', async (t) => {
  const { ask, credentials, identifier } = await start(t)
  identifier.set(POD, testCaller('pod-0'))
  let turns = 0
  credentials.gate = async () => identifier.set(POD, testCaller(`pod-${++turns}`))
  const answer = await ask(TOKEN, { from: POD })
  t.equal(answer.status, 503)
  t.equal(answer.headers.connection, 'close')
  t.equal(turns, 4)
})

t.test(
  'a known pod’s connection that changes hands between two requests answers for the new one',
  async (t) => {
    const { identifier, dial } = await start(t)
    identifier.set(POD, testCaller('old'))
    const socket = await dial(POD)
    const next = async () => {
      socket.write(`GET ${TOKEN} HTTP/1.1\r\nHost: metadata\r\nMetadata-Flavor: Google\r\n\r\n`)
      return await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())))
    }
    t.match(await next(), 'ya29.old@')
    identifier.set(POD, testCaller('new'))
    t.match(await next(), 'ya29.new@')
    identifier.set(
      POD,
      testCaller('other', failure('IDENTITY_REFUSED', false, 'Ask the operator for a rule.')),
    )
    t.match(await next(), 'Ask the operator')
    socket.destroy()
  },
)

t.test('expires_in is what is left, rounded down, and an ended token is not served', async (t) => {
  const { ask, clock, credentials } = await start(t)
  const left = async () => JSON.parse((await ask(TOKEN)).body).expires_in
  t.equal(await left(), 3599)
  await clock.advance(900)
  t.equal(await left(), 3599)
  await clock.advance(1)
  t.equal(await left(), 3598)
  await clock.advance(3_598_000)
  t.equal(credentials.obtained.length, 1)
  t.equal(await left(), 3599, 'less than a second left: a new one')
  t.equal(credentials.obtained.length, 2)
})

t.test('a pod that never asks twice alike keeps a bounded number of spellings', async (t) => {
  const { ask } = await start(t)
  for (let i = 0; i < 40; i++) t.equal((await ask(`${TOKEN}?x=${i}`)).status, 200)
  t.match((await ask(`${TOKEN}?x=0`)).body, 'ya29.alpha@')
})

t.test('a pod without an identity has no default account, and the rest is there', async (t) => {
  const { ask, identifier } = await start(t)
  identifier.set(POD, testCaller('none', failure('IDENTITY_NONE', false, 'Annotate the ServiceAccount.')))
  const from = { from: POD }
  for (const leaf of ['token', 'identity?audience=x', 'email', 'scopes', '?recursive=true', '']) {
    t.equal((await ask(`${DEFAULT}/${leaf}`, from)).status, 404, leaf)
  }
  t.equal((await ask(`${V1}/instance/service-accounts/`, from)).body, '')
  t.equal((await ask(`${V1}/instance/service-accounts/?recursive=true`, from)).body, '{}')
  const all = JSON.parse((await ask(`${V1}/?recursive=true`, from)).body)
  t.strictSame(all.instance.serviceAccounts, {})
  t.equal(all.project.projectId, 'my-project')
})

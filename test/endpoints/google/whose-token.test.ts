import t, { type Test } from 'tap'
import { createGoogleCallers } from '../../../src/endpoints/google/google-callers.ts'
import { TokenAnswers } from '../../../src/endpoints/google/token-answers.ts'
import type { PodRequest } from '../../../src/endpoints/pod-request.ts'
import { asError } from '../../../src/lib/as-error.ts'
import { Secret } from '../../../src/lib/secret.ts'
import {
  failure,
  startEndpoints,
  TestCredentials,
  testCaller,
  testPipeline,
} from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'

const ACCOUNT = '/computeMetadata/v1/instance/service-accounts/default'
const TOKEN = `${ACCOUNT}/token`

async function start(t: Test) {
  const clock = new FakeClock()
  const endpoints = await startEndpoints({ clock })
  t.teardown(() => endpoints.close())
  let held = 0
  let open = () => {}
  /** Holds everything back that is obtained from now on. */
  const hold = () => {
    endpoints.credentials.gate = () => {
      held++
      return new Promise((resolve) => {
        open = resolve
      })
    }
  }
  return { ...endpoints, clock, hold, release: () => open(), held: () => held }
}

t.test('a caller that is not valid gets no token, though it is there at once', async (t) => {
  const { ask, identifier } = await start(t)
  const caller = testCaller('alpha')
  identifier.set('127.0.0.1', caller)
  t.match((await ask(TOKEN)).body, /ya29\.alpha/)
  caller.valid = false
  const answer = await ask(TOKEN)
  t.match(answer, { status: 503, body: 'The pod behind this address is changing. Try again.\n' })
})

t.test('a pod that was not known and changes while its token is obtained gets its new one', async (t) => {
  const { ask, identifier, hold, release, held } = await start(t)
  hold()
  const answer = ask(TOKEN, { from: '127.0.1.3' })
  await until(() => identifier.waiting === 1)
  identifier.set('127.0.1.3', testCaller('first'))
  await until(() => held() === 1)
  identifier.set('127.0.1.3', testCaller('second'))
  release()
  await until(() => held() === 2)
  release()
  t.match((await answer).body, /ya29\.second/)
})

t.test('a pod that goes while its token is obtained is told that it is not known', async (t) => {
  const { ask, identifier, clock, hold, release, held } = await start(t)
  hold()
  const answer = ask(TOKEN)
  await until(() => held() === 1)
  identifier.set('127.0.0.1', undefined)
  release()
  await until(() => identifier.waiting === 1)
  await clock.advance(900)
  t.match(await answer, { status: 503, body: 'This pod is not known yet. Try again.\n' })
})

t.test('a request that is handled again is held for what is left of its 900 ms', async (t) => {
  const { ask, identifier, clock, hold, release, held } = await start(t)
  hold()
  const answer = ask(TOKEN)
  await until(() => held() === 1)
  await clock.advance(800)
  identifier.set('127.0.0.1', undefined)
  release()
  await until(() => identifier.waiting === 1)
  await clock.advance(100)
  t.equal((await answer).status, 503)
})

t.test('a ServiceAccount that changed has another identity, though the pod is the same object', async (t) => {
  const { ask, identifier } = await start(t)
  const before = testCaller('alpha')
  const after = testCaller('beta')
  identifier.set('127.0.0.1', before)
  t.match((await ask(TOKEN)).body, /ya29\.alpha/)
  identifier.set('127.0.0.1', { ...after, pod: before.pod })
  t.match((await ask(TOKEN)).body, /ya29\.beta/)
})

t.test("another's e-mail is not found, also where the pod was not known at first", async (t) => {
  const { ask, identifier } = await start(t)
  const path = TOKEN.replace('default', 'beta@my-project.iam.gserviceaccount.com')
  const answer = ask(path, { from: '127.0.1.3' })
  await until(() => identifier.waiting === 1)
  identifier.set('127.0.1.3', testCaller('alpha'))
  t.match(await answer, { status: 404, body: 'Not Found\n' })
})

t.test('one query asks for an access token and for an ID token, and gets each', async (t) => {
  const { ask } = await start(t)
  const query = '?audience=https://a.example'
  t.match((await ask(`${TOKEN}${query}`)).body, /"ya29\./)
  t.match((await ask(`${ACCOUNT}/identity${query}`)).body, /^eyJ\./)
  t.match((await ask(`${TOKEN}${query}`)).body, /"ya29\./)
})

t.test('a renewed token takes the place of the old one at once', async (t) => {
  const { ask, clock, credentials } = await start(t)
  const expiresAt = clock.now() + 3_600_000
  for (const text of ['first', 'second']) {
    const credential = { token: new Secret(text), digest: text, expiresAt }
    credentials.peek = () => credential as never
    t.equal(JSON.parse((await ask(TOKEN)).body).access_token, text)
    t.equal((await ask(`${ACCOUNT}/identity?audience=a`)).body, text)
  }
})

t.test('the life of a token counts from when it is given out, not from when it was asked for', async (t) => {
  const { ask, clock, credentials, hold, release, held } = await start(t)
  const obtained = { token: new Secret('t'), digest: 't', expiresAt: clock.now() + 60_000 }
  credentials.get = async () => {
    await credentials.gate({} as never)
    return obtained as never
  }
  hold()
  const answer = ask(TOKEN)
  await until(() => held() === 1)
  await clock.advance(800)
  release()
  t.equal(JSON.parse((await answer).body).expires_in, 59)
})

t.test('a pod that never spells its request twice alike keeps no more than 16 spellings', async (t) => {
  const clock = new FakeClock()
  const pipeline = testPipeline(clock)
  const callers = createGoogleCallers(pipeline)
  const failure = (_: string, thrown: unknown): never => {
    throw asError(thrown)
  }
  const credentials = new TestCredentials(clock)
  const answers = new TokenAnswers({ callers, credentials, pipeline, clock, holdMs: 900, failure })
  const caller = testCaller('alpha')
  credentials.peek = () => ({ token: new Secret('t'), digest: 't', expiresAt: clock.now() + 60_000 }) as never
  const session = { current: () => caller, identify: async () => caller }
  for (let i = 0; i < 100; i++) {
    const request = { session, query: `x=${i}`, receivedAt: clock.now() } as unknown as PodRequest
    t.match(answers.answer('token', 'default', request), { status: 200 })
  }
  t.equal(callers.of(caller).accessTokens.size, 16)
})

t.test(
  'a pod whose identity is refused is told why at its values, and shown no account above them',
  async (t) => {
    const { ask, identifier } = await start(t)
    identifier.set('127.0.0.1', testCaller('alpha', failure('IDENTITY_INVALID', false, 'No e-mail.')))
    t.match(await ask(`${ACCOUNT}/email`), { status: 403, body: 'No e-mail.\n' })
    t.match(await ask(`${ACCOUNT}/?recursive=true`), { status: 403 })
    t.match(await ask(TOKEN), { status: 403, body: 'No e-mail.\n' })
    t.match(await ask(`${ACCOUNT}/identity?audience=a`), { status: 404, body: 'No e-mail.\n' })
    t.match(await ask(ACCOUNT.replace(/default$/, '')), { status: 200, body: '' })
  },
)

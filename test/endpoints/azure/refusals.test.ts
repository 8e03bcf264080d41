import t from 'tap'
import { failure, testCaller } from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'
import { startAzure } from './start-azure.ts'

const ASK = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net'

t.test('what stays is 400 at once, with what to do', async (t) => {
  const { credentials, get, identifier } = await startAzure(t)
  const refusals = {
    IDENTITY_NONE: ['invalid_request', 'Identity not found. Mend it.'],
    CALLER_NO_SERVICE_ACCOUNT: ['invalid_request', 'Identity not found. Mend it.'],
    IDENTITY_INVALID: ['unauthorized_client', 'Mend it.'],
    IDENTITY_REFUSED: ['access_denied', 'Mend it.'],
  } as const
  for (const [code, [error, error_description]] of Object.entries(refusals)) {
    identifier.set(
      '127.0.0.1',
      testCaller('alpha', failure(code as keyof typeof refusals, false, 'Mend it.')),
    )
    const answer = await get(ASK)
    t.equal(answer.status, 400, code)
    t.same(JSON.parse(answer.body), { error, error_description })
  }
  identifier.set('127.0.0.1', testCaller('alpha'))
  for (const code of ['EXCHANGE_REFUSED', 'EXCHANGE_MISCONFIGURED', 'SUBJECT_TOKEN_INVALID'] as const) {
    credentials.gate = () => Promise.reject(failure(code, false, 'Add the federated credential.'))
    const answer = await get(ASK)
    t.equal(answer.status, 400, code)
    t.match(JSON.parse(answer.body).error_description, 'Add the federated credential.')
  }
})

t.test('what may pass is 503 with Retry-After in JSON, never 404, 410 or 429', async (t) => {
  const { credentials, get } = await startAzure(t)
  for (const thrown of [
    failure('EXCHANGE_THROTTLED', true, 'Wait.', 1_500),
    failure('EXCHANGE_UNAVAILABLE', true, 'Wait.', 1_500),
    failure('KUBERNETES_FORBIDDEN', false, 'Wait.', 1_500),
  ]) {
    credentials.gate = () => Promise.reject(thrown)
    const answer = await get(ASK)
    t.equal(answer.status, 503)
    t.equal(answer.headers['retry-after'], '2')
    t.same(JSON.parse(answer.body), { error: 'service_unavailable', error_description: 'Wait.' })
  }
  credentials.gate = () => Promise.reject(new TypeError('secret detail'))
  const defect = await get(ASK)
  t.equal(defect.status, 503)
  t.notMatch(defect.body, /secret/)
})

t.test('a connection that changed hands is closed', async (t) => {
  const { credentials, get } = await startAzure(t)
  credentials.gate = () => Promise.reject(failure('CALLER_CHANGED', true, 'Again.'))
  t.equal((await get(ASK)).headers.connection, 'close')
})

t.test('a request is held for its pod for 900 ms, and woken by it; a malformed one is not', async (t) => {
  const clock = new FakeClock()
  const { get, identifier } = await startAzure(t, { clock })
  identifier.set('127.0.0.1', undefined)
  t.equal((await get(`${ASK}&client_id=a&object_id=b`)).status, 400)
  const late = get(ASK)
  await until(() => identifier.waiting === 1)
  await clock.advance(899)
  t.equal(identifier.waiting, 1)
  await clock.advance(1)
  t.equal((await late).status, 503)
  const soon = get(ASK)
  await until(() => identifier.waiting === 1)
  identifier.set('127.0.0.1', testCaller('alpha'))
  t.equal((await soon).status, 200)
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('expires_in is what is left at the moment of the answer', async (t) => {
  const clock = new FakeClock()
  const { credentials, get } = await startAzure(t, { clock })
  const first = JSON.parse((await get(ASK)).body)
  t.equal(first.expires_in, '3599')
  await clock.advance(1_000_000)
  const second = JSON.parse((await get(ASK)).body)
  t.equal(second.expires_in, '2599')
  t.equal(second.expires_on, first.expires_on)
  t.equal(second.access_token, first.access_token)
  await clock.advance(2_599_000)
  t.equal(JSON.parse((await get(ASK)).body).expires_in, '3599', 'with less than a second left it is renewed')
  t.equal(credentials.obtained.length, 2)
})

t.test('the token is that of the pod at the moment of the answer', async (t) => {
  const { credentials, get, identifier } = await startAzure(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  let entered = false
  credentials.gate = () => {
    entered = true
    return promise
  }
  const answer = get(ASK)
  await until(() => entered)
  identifier.set('127.0.0.1', testCaller('gamma'))
  resolve()
  t.match(JSON.parse((await answer).body).access_token, /^eyJ\.gamma-app\..*\.pod-gamma$/)
})

t.test('a pod that never asks twice alike is answered all the same', async (t) => {
  const { get } = await startAzure(t)
  for (let i = 0; i < 40; i++) {
    const answer = await get(`${ASK}&x=${i}`)
    t.match(JSON.parse(answer.body).access_token, 'eyJ.alpha-app.')
  }
})

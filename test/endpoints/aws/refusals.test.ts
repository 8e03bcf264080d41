import t from 'tap'
import { failure, testCaller } from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'
import { startAws } from './start-aws.ts'

const ROLES = '/latest/meta-data/iam/security-credentials/'
const ROLE = `${ROLES}alpha-role`

t.test('a pod without an identity has no role, and everything else', async (t) => {
  const { get, identifier } = await startAws(t)
  for (const code of ['IDENTITY_NONE', 'IDENTITY_INVALID', 'IDENTITY_REFUSED'] as const) {
    identifier.set('127.0.0.1', testCaller('alpha', failure(code, false, 'Annotate <it> & “retry”.')))
    for (const path of [ROLES, '/latest/meta-data/iam/info']) {
      const answer = await get(path)
      t.equal(answer.status, 404, `${code} ${path}`)
      t.match(answer.body, '<p>Annotate &#60;it&#62; &#38; &#8220;retry&#8221;.</p>')
    }
    t.equal((await get('/latest/meta-data/placement/region')).body, 'us-east-2')
    const document = await get('/latest/dynamic/instance-identity/document')
    t.match(JSON.parse(document.body), { accountId: null, region: 'us-east-2' })
  }
})

t.test('a role that can’t be had is a 200 whose code and message SDKs print', async (t) => {
  const { credentials, get, identifier } = await startAws(t)
  const codes = {
    EXCHANGE_REFUSED: 'AssumeRoleUnauthorizedAccess',
    EXCHANGE_MISCONFIGURED: 'Failed',
    SUBJECT_TOKEN_REFUSED: 'Failed',
  } as const
  for (const [code, shown] of Object.entries(codes)) {
    credentials.gate = () => Promise.reject(failure(code as keyof typeof codes, false, 'Allow it.'))
    const answer = await get(ROLE)
    t.equal(answer.status, 200)
    t.match(JSON.parse(answer.body), { Code: shown, Message: 'Allow it.', LastUpdated: /Z$/ })
    t.equal((await get(ROLES)).body, 'alpha-role', 'the role is listed all the same')
  }
  identifier.set('127.0.0.1', testCaller('alpha', failure('IDENTITY_REFUSED', false, 'Ask.')))
  t.match(JSON.parse((await get(ROLE)).body), { Code: 'AssumeRoleUnauthorizedAccess', Message: 'Ask.' })
  identifier.set('127.0.0.1', testCaller('alpha', failure('IDENTITY_NONE', false, 'Annotate.')))
  t.equal((await get(ROLE)).status, 404)
})

t.test('what may pass is 503 with Retry-After', async (t) => {
  const { credentials, get } = await startAws(t)
  credentials.gate = () => Promise.reject(failure('EXCHANGE_THROTTLED', true, 'Wait.', 2_500))
  const answer = await get(ROLE)
  t.equal(answer.status, 503)
  t.equal(answer.headers['retry-after'], '3')
  t.match(answer.body, /<p>Wait\.<\/p>/)
  credentials.gate = () => Promise.reject(failure('KUBERNETES_FORBIDDEN', false, 'Ours.'))
  t.equal((await get(ROLE)).status, 503, 'what the operator has to mend is no refusal of this pod')
  credentials.gate = () => Promise.reject(new TypeError('secret detail'))
  const defect = await get(ROLE)
  t.equal(defect.status, 503)
  t.notMatch(defect.body, /secret/)
})

t.test('a request is held for its pod for 450 ms, and woken by it', async (t) => {
  const clock = new FakeClock()
  const { ask, identifier, token } = await startAws(t, { clock })
  identifier.set('127.0.0.1', undefined)
  const headers = { 'x-aws-ec2-metadata-token': await token() }
  const late = ask(ROLES, { headers })
  await until(() => identifier.waiting === 1)
  await clock.advance(449)
  t.equal(identifier.waiting, 1)
  await clock.advance(1)
  const answer = await late
  t.equal(answer.status, 503)
  t.equal(answer.headers['retry-after'], '1')

  const soon = ask(ROLES, { headers })
  await until(() => identifier.waiting === 1)
  identifier.set('127.0.0.1', testCaller('alpha'))
  t.equal((await soon).body, 'alpha-role')
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('a bad token is not held', async (t) => {
  const { get, identifier, token } = await startAws(t)
  const others = await token('127.0.0.2')
  identifier.set('127.0.0.1', undefined)
  for (const bad of ['x', others]) t.equal((await get(ROLE, { token: bad })).status, 401)
})

t.test('credentials are those of the pod at the moment of the answer', async (t) => {
  const { ask, credentials, identifier, token } = await startAws(t, { imdsV1: true })
  const { promise, resolve } = Promise.withResolvers<void>()
  let entered = 0
  credentials.gate = () => {
    entered++
    return promise
  }
  const answers = [ask(ROLE), ask(ROLE, { headers: { 'x-aws-ec2-metadata-token': await token() } })]
  await until(() => entered === 2)
  identifier.set('127.0.0.1', testCaller('gamma'))
  resolve()
  const [v1, v2] = await Promise.all(answers)
  t.equal(v1!.status, 404, 'the role is not the successor’s')
  t.equal(v2!.status, 401, 'nor is the token')
})

t.test('a session that has just ended is obtained again', async (t) => {
  const clock = new FakeClock()
  const { credentials, get } = await startAws(t, { clock })
  const first = JSON.parse((await get(ROLE)).body)
  await clock.advance(3_599_700)
  const second = JSON.parse((await get(ROLE)).body)
  t.not(first.Expiration, second.Expiration)
  t.equal(credentials.obtained.length, 2)
})

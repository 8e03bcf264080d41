import t from 'tap'
import { errorAnswer } from '../../../src/endpoints/google/error-answer.ts'
import type { ErrorCode } from '../../../src/lib/errors.ts'
import { failure } from '../../support/endpoint-fixture.ts'

t.test('permanent refusals have the status that SDKs stop at', async (t) => {
  const cases: [ErrorCode, number, number][] = [
    ['IDENTITY_NONE', 404, 404],
    ['IDENTITY_REFUSED', 403, 404],
    ['IDENTITY_INVALID', 403, 404],
    ['EXCHANGE_REFUSED', 403, 404],
    ['EXCHANGE_MISCONFIGURED', 403, 404],
    ['SUBJECT_TOKEN_REFUSED', 403, 404],
    ['CALLER_NO_SERVICE_ACCOUNT', 403, 404],
    ['REQUEST_INVALID', 400, 400],
  ]
  for (const [code, token, identity] of cases) {
    t.equal(errorAnswer('token', failure(code, false, 'Do this.')).status, token, code)
    t.equal(errorAnswer('identity', failure(code, false, 'Do this.')).status, identity, code)
    t.equal(errorAnswer('token', failure(code, false, 'Do this.')).body, 'Do this.\n')
  }
})

t.test('whatever is retryable, or nobody’s refusal, is 503', async (t) => {
  const retryable: ErrorCode[] = [
    'EXCHANGE_UNAVAILABLE',
    'EXCHANGE_REFUSED',
    'CALLER_UNKNOWN',
    'IDENTITY_NONE',
  ]
  for (const code of retryable)
    t.equal(errorAnswer('identity', failure(code, true, 'Wait.')).status, 503, code)
  const others: ErrorCode[] = [
    'CALLER_UNKNOWN',
    'CALLER_AMBIGUOUS',
    'CREDENTIAL_LIMIT',
    'KUBERNETES_FORBIDDEN',
  ]
  for (const code of others) t.equal(errorAnswer('token', failure(code, false, 'Wait.')).status, 503, code)
  t.equal(errorAnswer('token', new Error('a defect')).status, 503)
  t.notMatch(errorAnswer('token', new Error('a defect')).body, 'defect')
})

t.test('Retry-After is whole seconds, at least one', async (t) => {
  const retryAfter = (ms?: number) => {
    const { headers } = errorAnswer('token', failure('EXCHANGE_THROTTLED', true, 'Wait.', ms))
    return headers[headers.indexOf('Retry-After') + 1]
  }
  t.equal(retryAfter(), '1')
  t.equal(retryAfter(1), '1')
  t.equal(retryAfter(1500), '2')
  t.equal(retryAfter(30_000), '30')
})

t.test('a connection whose pod has changed is closed with the answer, and no other', async (t) => {
  const closes = (code: ErrorCode) =>
    errorAnswer('token', failure(code, true, 'Try again.')).headers.includes('close')
  t.ok(closes('CALLER_CHANGED'))
  t.notOk(closes('CALLER_NOT_READY'))
})

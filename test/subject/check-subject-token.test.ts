import fc from 'fast-check'
import t from 'tap'
import { MetadatadError } from '../../src/lib/errors.ts'
import { checkSubjectToken } from '../../src/subject/check-subject-token.ts'
import { subjectClaims, subjectJwt, subjectPod } from './subject-pod.ts'

const now = Date.UTC(2026, 0, 1)
const wanted = { pod: subjectPod(), serviceAccountUid: 'sa-1', audience: 'aud' }
const claims = subjectClaims(now)
const bound = claims['kubernetes.io'] as object
const check = (changed: unknown) => checkSubjectToken(subjectJwt(changed), wanted, now)

t.test("the pod's own token is good", async (t) => {
  t.equal(check(claims).expiresAt, now + 3_600_000)
  t.equal(check({ ...claims, aud: 'aud' }).token.reveal(), subjectJwt({ ...claims, aud: 'aud' }))
})

t.test('any other token is refused', async (t) => {
  const others: unknown[] = [
    { ...claims, aud: 'other' },
    { ...claims, aud: ['aud', 'other'] },
    { ...claims, aud: [] },
    { ...claims, aud: undefined },
    { ...claims, 'kubernetes.io': undefined },
    { ...claims, 'kubernetes.io': { ...bound, pod: undefined } },
    { ...claims, 'kubernetes.io': { ...bound, pod: { name: 'cart-0', uid: 'uid-2' } } },
    { ...claims, 'kubernetes.io': { ...bound, pod: { name: 'cart-1', uid: 'uid-1' } } },
    { ...claims, 'kubernetes.io': { ...bound, namespace: 'other' } },
    { ...claims, 'kubernetes.io': { ...bound, serviceaccount: { name: 'other' } } },
    { ...claims, exp: undefined },
    { ...claims, exp: '1' },
    [claims],
    'text',
  ]
  for (const other of others)
    t.throws(() => check(other), { code: 'SUBJECT_TOKEN_INVALID' }, JSON.stringify(other))
  const nobody = subjectPod({ serviceAccountName: '' })
  const unnamed = subjectJwt({ ...claims, 'kubernetes.io': { ...bound, serviceaccount: { name: '' } } })
  t.throws(() => checkSubjectToken(unnamed, { ...wanted, pod: nobody }, now), {
    code: 'SUBJECT_TOKEN_INVALID',
  })
})

t.test('a token of a service account that was deleted is no token of the next by that name', async (t) => {
  for (const uid of ['sa-0', '', undefined, null]) {
    const serviceaccount = { name: 'cart', uid }
    t.throws(() => check({ ...claims, 'kubernetes.io': { ...bound, serviceaccount } }), {
      code: 'SUBJECT_TOKEN_UNAVAILABLE',
      retryable: true,
    })
  }
})

t.test('a token with less than two minutes left may be renewed soon', async (t) => {
  t.throws(() => check({ ...claims, exp: now / 1000 + 119 }), {
    code: 'SUBJECT_TOKEN_UNAVAILABLE',
    retryable: true,
  })
  t.throws(() => check({ ...claims, exp: -1 }), { code: 'SUBJECT_TOKEN_UNAVAILABLE' })
  t.ok(check({ ...claims, exp: now / 1000 + 120 }))
})

t.test('no text upsets the check, and no error quotes the token', async (t) => {
  const part = fc.oneof(
    fc.base64String(),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  )
  const jwt = fc.oneof(
    fc.string(),
    fc.tuple(part, part, part).map((parts) => parts.join('.')),
  )
  fc.assert(
    fc.property(jwt, (text) => {
      try {
        checkSubjectToken(text, wanted, now)
      } catch (error) {
        if (!(error instanceof MetadatadError)) throw error
        if (text.length > 8 && `${error.message}${error.publicMessage}`.includes(text))
          throw new Error('quoted')
        return
      }
      throw new Error('a made-up token was good')
    }),
    { numRuns: 2000 },
  )
  t.throws(() => checkSubjectToken(`${subjectJwt(claims)}${'A'.repeat(40_000)}`, wanted, now), {
    code: 'SUBJECT_TOKEN_INVALID',
  })
})

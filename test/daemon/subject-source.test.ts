import t from 'tap'
import { createSubjectSource } from '../../src/daemon/subject-source.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { SubjectTokenRequest } from '../../src/subject/subject-tokens.ts'
import { subjectPod } from '../subject/subject-pod.ts'

const holder = {
  namespace: 'shop',
  name: 'cart-0',
  uid: 'uid-1',
  serviceAccountName: 'cart',
  serviceAccountUid: 'sa-1',
}

function setUp() {
  const requests: SubjectTokenRequest[] = []
  const source = createSubjectSource({
    tokens: {
      async get(request) {
        requests.push(request)
        return { token: new Secret('t'), expiresAt: 1 }
      },
    },
    podByUid: (uid) => (uid === 'uid-1' ? subjectPod() : undefined),
    expirationSeconds: 3_600,
  })
  return { source, requests }
}

t.test('a token is asked for with the configured life, unless a shorter one is wished', async (t) => {
  const { source, requests } = setUp()
  const { signal } = new AbortController()
  await source(holder, 'aud', {}, signal)
  await source(holder, 'aud', { renew: true, expirationSeconds: 600 }, signal)
  await source(holder, 'aud', { expirationSeconds: 86_400 }, signal)
  t.match(requests, [
    { audience: 'aud', serviceAccountUid: 'sa-1', expirationSeconds: 3_600, renew: undefined },
    { audience: 'aud', serviceAccountUid: 'sa-1', expirationSeconds: 600, renew: true },
    { audience: 'aud', serviceAccountUid: 'sa-1', expirationSeconds: 3_600, renew: undefined },
  ])
})

t.test('a pod that is not known any more has no token', async (t) => {
  const { source, requests } = setUp()
  await t.rejects(source({ ...holder, uid: 'uid-2' }, 'aud', {}, new AbortController().signal), {
    code: 'SUBJECT_TOKEN_POD_GONE',
  })
  t.equal(requests.length, 0)
})

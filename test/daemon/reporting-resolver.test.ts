import t from 'tap'
import { reportingResolver } from '../../src/daemon/reporting-resolver.ts'
import { identityError } from '../../src/identity/identity-error.ts'
import type { Pod, ServiceAccount } from '../../src/kubernetes/types.ts'

const pod = { namespace: 'ns', name: 'pod' } as Pod
const serviceAccount = { namespace: 'ns', name: 'sa' } as ServiceAccount

t.test('a refusal is reported with its pod and thrown, and an identity is only returned', async (t) => {
  const refusal = identityError('IDENTITY_INVALID', 'malformed', 'Mend it.')
  const reported: unknown[] = []
  const report = (...told: unknown[]) => void reported.push(told)
  const refuse = reportingResolver((): never => {
    throw refusal
  }, report)
  t.throws(() => refuse(pod, serviceAccount), refusal)
  t.strictSame(reported, [[pod, refusal]])
  const find = reportingResolver((of, by) => `${of.name} by ${by.name}`, report)
  t.equal(find(pod, serviceAccount), 'pod by sa')
  t.equal(reported.length, 1)
})

t.test('a refusal of the code that is excepted is thrown unreported, and no other', async (t) => {
  let code: 'IDENTITY_NONE' | 'IDENTITY_REFUSED' = 'IDENTITY_NONE'
  const reported: string[] = []
  const refuse = reportingResolver(
    (): never => {
      throw identityError(code, 'refused', 'Mend it.')
    },
    (_, error) => void reported.push(error.code),
    'IDENTITY_NONE',
  )
  for (code of ['IDENTITY_NONE', 'IDENTITY_REFUSED'] as const) {
    t.throws(() => refuse(pod, serviceAccount), { code })
  }
  t.strictSame(reported, ['IDENTITY_REFUSED'])
})

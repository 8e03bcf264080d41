import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { isMissingRight } from '../../src/kubernetes/is-missing-right.ts'
import { MissingRights } from '../../src/kubernetes/missing-rights.ts'
import { RIGHTS } from '../../src/kubernetes/rights.ts'
import { statusError } from '../../src/kubernetes/status-error.ts'
import { type LogFields, silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock } from '../support/fake-clock.ts'

const TOKEN = { verb: 'create', resource: 'serviceaccounts/token' } as const

function denied(reason = '') {
  const message = `serviceaccounts "cart" is forbidden: User "system:serviceaccount:metadatad:metadatad" cannot create resource "serviceaccounts/token" in API group "" in the namespace "shop"${reason}`
  return statusError(TOKEN, 403, { reason: 'Forbidden', message })
}

function tracked(_: Test) {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const logged: { level: string; fields: LogFields }[] = []
  const log = {
    ...silentLog,
    error: (fields: LogFields) => logged.push({ level: 'error', fields }),
    info: (fields: LogFields) => logged.push({ level: 'info', fields }),
  }
  const gauge = async () => (await metrics.missingRights.get()).values.map(({ value }) => value)
  return { rights: new MissingRights({ clock, log, metrics }), clock, logged, gauge }
}

t.test('a right is told once, however often it is missed, until it works', async (t) => {
  const { rights, logged, gauge } = tracked(t)
  for (let i = 0; i < 3; i++) rights.refused(TOKEN, denied())
  t.match(rights.list(), [TOKEN])
  t.strictSame(await gauge(), [1])
  t.match(logged, [{ level: 'error', fields: { ...TOKEN, mend: /subjectToken\.source/ } }])
  rights.worked({ verb: 'list', resource: 'pods' })
  t.equal(rights.list().length, 1, 'another call says nothing of it')
  rights.worked(TOKEN)
  t.strictSame(rights.list(), [])
  t.strictSame(await gauge(), [0])
  t.equal(logged.length, 2)
})

t.test('one that comes and goes is told of once in a minute', async (t) => {
  const { rights, logged, clock } = tracked(t)
  const errors = () => logged.filter(({ level }) => level === 'error').length
  for (let i = 0; i < 50; i++) {
    rights.refused(TOKEN, denied())
    rights.worked(TOKEN)
  }
  t.equal(errors(), 1)
  await clock.advance(60_000)
  rights.refused(TOKEN, denied())
  t.equal(errors(), 2)
})

t.test('an object that is not there shows that one may ask for it', async (t) => {
  const { rights } = tracked(t)
  rights.refused(TOKEN, denied())
  rights.refused(
    TOKEN,
    statusError(TOKEN, 404, { reason: 'NotFound', message: 'serviceaccounts "x" not found' }),
  )
  t.strictSame(rights.list(), [])
})

t.test('what admission refuses, what is not authenticated and what fails is no missing right', async (t) => {
  const { rights, logged } = tracked(t)
  for (const [status, message] of [
    [
      403,
      'events "x" is forbidden: unable to create new content in namespace shop because it is being terminated',
    ],
    [
      403,
      'serviceaccounts "cart" is forbidden: ValidatingAdmissionPolicy denied request: not a pod of this node',
    ],
    [
      403,
      'audience "x" not found in pod spec volume, system:node:n is not authorized to request tokens for this audience',
    ],
    [401, 'Unauthorized'],
    [500, 'User "x" cannot create resource "pods"'],
  ] as const)
    rights.refused(TOKEN, statusError(TOKEN, status, { message }))
  t.strictSame(rights.list(), [])
  t.strictSame(logged, [])
})

t.test('a pod that the Node authorizer does not know yet is worth another try', async (t) => {
  const error = denied(": no relationship found between node 'node-1' and this object")
  t.match(error, { code: 'KUBERNETES_UNAVAILABLE', retryable: true })
  t.notOk(isMissingRight(error))
})

t.test('any message is read', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), fc.integer({ min: 400, max: 599 }), (message, status) => {
      const error = statusError(TOKEN, status, { message })
      return isMissingRight(error) === false || /User ".*" cannot/.test(message)
    }),
  )
})

t.test('docs/rights.md says of each right what it is for and what is without it', async (t) => {
  const page = readFileSync(new URL('../../docs/rights.md', import.meta.url), 'utf8')
  for (const { verb, resource, neededFor, without } of RIGHTS)
    t.ok(page.includes(`| \`${verb} ${resource}\` | ${neededFor} | ${without} |`), `${verb} ${resource}`)
})

import fc from 'fast-check'
import t from 'tap'
import { parseImpersonation } from '../../../src/sandbox/google/parse-impersonation.ts'
import { Refusal } from '../../../src/sandbox/refusal.ts'
import { CLOUD_PLATFORM } from './start-world.ts'

const PATH = '/v1/projects/-/serviceAccounts/app@p.iam.gserviceaccount.com:'

t.test('any path and body is read or refused, and a read one is within its bounds', (t) => {
  const path = fc.oneof(
    fc.constantFrom(`${PATH}generateAccessToken`, `${PATH}generateIdToken`),
    fc.string().map((segment) => `/v1/projects/-/serviceAccounts/${segment}:generateIdToken`),
    fc.string(),
  )
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        scope: fc.array(fc.constantFrom(CLOUD_PLATFORM, 'openid', 'x')),
        lifetime: fc.oneof(
          fc.string(),
          fc.nat(7200).map((seconds) => `${seconds}s`),
        ),
        delegates: fc.array(fc.string()),
        audience: fc.string(),
        includeEmail: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  )
  fc.assert(
    fc.property(path, body, (path, body) => {
      try {
        const wanted = parseImpersonation(path, body)
        if (wanted.method === 'generateIdToken') return wanted.audience !== ''
        return wanted.scopes.length > 0 && wanted.lifetimeSeconds > 0 && wanted.lifetimeSeconds <= 3600
      } catch (error) {
        return error instanceof Refusal && [400, 404].includes(error.answer.status)
      }
    }),
    { numRuns: 1000 },
  )
  t.pass('for every path and body')
  t.end()
})

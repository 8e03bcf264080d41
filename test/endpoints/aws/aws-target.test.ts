import fc from 'fast-check'
import t from 'tap'
import { awsTarget } from '../../../src/endpoints/aws/aws-target.ts'
import { canonicalPath } from '../../../src/endpoints/canonical-path.ts'

t.test('what a path means', async (t) => {
  for (const [path, target] of Object.entries({
    '/latest': { route: 'value', path: '' },
    '/1.0/': { route: 'value', path: '' },
    '/2021-01-03/api/token': { route: 'token', path: 'api/token' },
    '/latest/meta-data/iam/security-credentials/': {
      route: 'role',
      path: 'meta-data/iam/security-credentials',
    },
    '/latest/meta-data/iam/security-credentials-extended/a+b=c,.@-': {
      route: 'credentials',
      path: 'meta-data/iam/security-credentials-extended/a+b=c,.@-',
      role: 'a+b=c,.@-',
      extended: true,
    },
    '/latest/toString': { route: 'value', path: 'toString' },
  })) {
    t.strictSame(awsTarget(path), target)
  }
  for (const path of ['/', '/latestx', '/Latest/', '/20210103/', '/metadata/', '/x/latest/']) {
    t.equal(awsTarget(path), undefined, path)
  }
})

t.test('credentials are asked for by one segment below their directory, and by nothing else', async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      'latest',
      'meta-data',
      'iam',
      'security-credentials',
      'security-credentials-extended',
      'api',
      'token',
    ),
    fc.stringMatching(/^[\w+=,.@-]{1,8}$/),
  )
  const path = fc
    .tuple(fc.array(segment, { maxLength: 6 }), fc.constantFrom('', '/'))
    .map(([segments, slash]) => canonicalPath(`/latest/${segments.join('/')}${slash}`))
  fc.assert(
    fc.property(path, (path) => {
      if (path === undefined) return true
      const target = awsTarget(path)!
      const isCredentials = /^\/latest\/meta-data\/iam\/security-credentials(?:-extended)?\/[^/]+\/?$/.test(
        path,
      )
      return (
        (target.route === 'credentials') === isCredentials &&
        !target.path.startsWith('/') &&
        !target.path.endsWith('/') &&
        (!isCredentials || path.replace(/\/$/, '').endsWith(`/${target.role}`))
      )
    }),
    { numRuns: 1000 },
  )
})

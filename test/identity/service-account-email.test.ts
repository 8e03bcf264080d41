import fc from 'fast-check'
import t from 'tap'
import { isServiceAccountEmail } from '../../src/identity/service-account-email.ts'

t.test('every kind of service account that Google has is taken', async (t) => {
  for (const email of [
    'web@my-project.iam.gserviceaccount.com',
    'web@proj.example.com.iam.gserviceaccount.com',
    '123456789-compute@developer.gserviceaccount.com',
    'my-project@appspot.gserviceaccount.com',
    'my-project.example.com@appspot.gserviceaccount.com',
    'service-123@gcp-sa-pubsub.iam.gserviceaccount.com',
    'web@my-project.s3ns.iam.gserviceaccount.com',
    '123@cloudservices.gserviceaccount.com',
  ]) {
    t.equal(isServiceAccountEmail(email), true, email)
  }
})

t.test('what would be something else in a path, a header or a rule is not', async (t) => {
  for (const text of [
    '',
    'web',
    'web@',
    '@proj.iam.gserviceaccount.com',
    'web@proj',
    'web@proj.iam.gserviceaccount.com ',
    ' web@proj.iam.gserviceaccount.com',
    'web@proj.iam.gserviceaccount.com\n',
    'Web@proj.iam.gserviceaccount.com',
    'web@proj..com',
    'web@proj.com.',
    '../x@proj.com',
    'a..b@proj.com',
    'a/b@proj.com',
    'a%2fb@proj.com',
    'a@b@proj.com',
    'a:generateIdToken@proj.com',
    'a@proj.com:generateIdToken',
    'a@proj.com?x',
    'é@proj.com',
    `${'a'.repeat(250)}@b.co`,
    `a@${'b.'.repeat(200)}co`,
  ]) {
    t.equal(isServiceAccountEmail(text), false, JSON.stringify(text))
  }
})

t.test('an accepted text is bounded and of harmless characters, whatever it was made of', async () => {
  const unit = fc.constantFrom(...'ab1-_.@/%:?#\\ \n\r\0é', '..', '.com')
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit, maxLength: 300 }), fc.string({ unit: 'binary' })), (text) => {
      return !isServiceAccountEmail(text) || (text.length <= 254 && /^[a-z0-9._-]+@[a-z0-9.-]+$/.test(text))
    }),
    { numRuns: 5_000 },
  )
})

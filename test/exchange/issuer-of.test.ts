import fc from 'fast-check'
import t from 'tap'
import { issuerOf } from '../../src/exchange/issuer-of.ts'
import { Secret } from '../../src/lib/secret.ts'
import { subjectJwt } from './cloud-server.ts'

t.test("a token's issuer is shown as it may be printed", async (t) => {
  t.equal(issuerOf(new Secret(subjectJwt('https://a.example'))), 'https://a.example')
  t.equal(issuerOf(new Secret(subjectJwt('https://a\n.example'))), 'https://a?.example')
  t.equal(issuerOf(new Secret(subjectJwt('x'.repeat(300))))?.length, 200)
})

t.test('what is no JWT, or has no issuer, has none', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => issuerOf(new Secret(text)) === undefined),
  )
})

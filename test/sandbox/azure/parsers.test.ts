import fc from 'fast-check'
import t from 'tap'
import { EntraError } from '../../../src/sandbox/azure/entra-error.ts'
import { matchCredential } from '../../../src/sandbox/azure/match-credential.ts'
import { parseTokenRequest } from '../../../src/sandbox/azure/parse-token-request.ts'
import { TOKEN_REQUEST } from './start-world.ts'

t.test('any form is read or refused, and a read one names a resource and a client', async (t) => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...Object.values(TOKEN_REQUEST), 'https://x//.default', '/.default', '.default'),
  )
  const form = fc.array(fc.tuple(fc.constantFrom(...Object.keys(TOKEN_REQUEST), 'client_assertion'), value))
  fc.assert(
    fc.property(form, (changes) => {
      const fields = new URLSearchParams({ ...TOKEN_REQUEST, client_assertion: 'x' })
      for (const [name, text] of changes) fields.set(name, text)
      try {
        const { clientId, assertion, resource } = parseTokenRequest(fields)
        return clientId !== '' && assertion !== '' && fields.get('scope') === `${resource}/.default`
      } catch (error) {
        return error instanceof EntraError
      }
    }),
  )
  t.pass()
})

t.test('no claims but those of a credential itself match it', async (t) => {
  const text = fc.constantFrom('https://a', 'https://a/', 'HTTPS://A', 'b', 'B', 'c', 'C', '')
  const claim = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.jsonValue())
  const credentials = fc.array(fc.record({ issuer: text, subject: text, audience: text }), { maxLength: 3 })
  fc.assert(
    fc.property(credentials, claim, claim, claim, (known, iss, sub, aud) => {
      const own = known.find(
        (one) => one.issuer === iss && one.subject === sub && [aud].flat().includes(one.audience),
      )
      try {
        return matchCredential(known, { iss, sub, aud }) === own
      } catch (error) {
        return error instanceof EntraError && own === undefined
      }
    }),
    { numRuns: 1000 },
  )
  t.pass()
})

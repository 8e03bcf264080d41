import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errors } from 'jose'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { AssertionError } from '../../src/sandbox/assertion-error.ts'
import { createCertificateAuthority } from '../../src/sandbox/certificate-authority.ts'
import { IssuerKeys } from '../../src/sandbox/issuer-keys.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { createSigningKey, TestIssuer } from './test-issuer.ts'

async function start(t: Test) {
  const ca = await createCertificateAuthority()
  const clock = new FakeClock()
  const issuer = await TestIssuer.start(ca, clock)
  const dispatcher = new Agent({ connect: { ca: ca.pem } })
  let fetches = 0
  const keys = new IssuerKeys({ clock, dispatcher, onFetch: () => fetches++ })
  t.teardown(async () => {
    await dispatcher.destroy()
    await issuer[Symbol.asyncDispose]()
  })
  return { clock, issuer, keys, fetches: () => fetches }
}

t.test('a key that appeared after the fetch under way began is found by one more fetch', async (t) => {
  const { issuer, keys, fetches } = await start(t)
  const held = new Promise<() => void>((resolve) => {
    issuer.onRequest = (path, answer) => (path.endsWith('jwks') ? resolve(answer) : answer())
  })
  const first = keys.find(issuer.url, { alg: 'RS256', kid: 'first' })
  const release = await held
  issuer.onRequest = undefined
  issuer.keys.push(await createSigningKey('second'))
  const second = keys.find(issuer.url, { alg: 'RS256', kid: 'second' })
  const again = keys.find(issuer.url, { alg: 'RS256', kid: 'first' })
  await settle()
  t.equal(fetches(), 1, 'all wait for the fetch under way')
  release()
  t.ok(await first)
  t.ok(await again)
  t.ok(await second)
  t.equal(fetches(), 2)
  await t.rejects(keys.find(issuer.url, { alg: 'RS256', kid: 'third' }), errors.JWKSNoMatchingKey)
})

t.test('an issuer that never answers is given up at the deadline, and asked again later', async (t) => {
  const { clock, issuer, keys } = await start(t)
  const asked = new Promise<void>((resolve) => {
    issuer.onRequest = () => resolve()
  })
  const refused = t.rejects(keys.find(issuer.url, { alg: 'RS256', kid: 'first' }), AssertionError)
  await asked
  await clock.advance(5_000)
  await refused
  issuer.onRequest = undefined
  t.ok(await keys.find(issuer.url, { alg: 'RS256', kid: 'first' }))
  t.equal(clock.pending, 0)
})

t.test('keys that come without TLS are not taken', async (t) => {
  const { issuer, keys } = await start(t)
  const requests: unknown[] = []
  const plain = createServer(({ url }, response) => {
    requests.push(url)
    response.end(JSON.stringify({ keys: issuer.keys.map((key) => key.publicJwk) }))
  })
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  t.teardown(() => plain.close())
  const jwks_uri = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/jwks`
  issuer.replaced.set('/.well-known/openid-configuration', {
    body: JSON.stringify({ issuer: issuer.url, jwks_uri }),
  })
  await t.rejects(keys.find(issuer.url, { alg: 'RS256', kid: 'first' }), AssertionError)
  t.same(requests, [])
})

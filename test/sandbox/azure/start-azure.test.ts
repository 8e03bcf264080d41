import t from 'tap'
import { startWorld, TENANT, TOKEN_REQUEST } from './start-world.ts'

t.test('a request that Entra would not take is refused with its code', async (t) => {
  await using world = await startWorld()
  const assertion = await world.assertion()
  const cases: [fields: Record<string, string | undefined>, status: number, error: string, code: number][] = [
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
    [{ grant_type: undefined }, 400, 'invalid_request', 900144],
    [{ client_id: undefined }, 400, 'invalid_request', 900144],
    [{ client_id: 'x' }, 400, 'unauthorized_client', 700016],
    [{ scope: '' }, 400, 'invalid_request', 900144],
    [{ scope: 'https://vault.azure.net' }, 400, 'invalid_scope', 1002012],
    [{ scope: '/.default' }, 400, 'invalid_scope', 1002012],
    [{ scope: 'vault/.default' }, 400, 'invalid_scope', 1002012],
    [{ scope: 'https://a/.default https://b/.default' }, 400, 'invalid_scope', 70011],
    [{ scope: 'https://nobody.example/.default' }, 400, 'invalid_resource', 500011],
    [{ client_assertion: undefined }, 401, 'invalid_client', 7000216],
    [{ client_assertion_type: undefined }, 400, 'invalid_request', 900144],
    [{ client_assertion_type: 'x' }, 400, 'invalid_request', 90014],
  ]
  for (const [fields, status, error, code] of cases) {
    t.match(
      await world.exchange(assertion, fields),
      { status, body: { error, error_codes: [code] } },
      JSON.stringify(fields),
    )
  }
  for (const [tenant, code] of [
    ['99999999-2222-3333-4444-555555555555', 90002],
    ['contoso.onmicrosoft.com', 90002],
    ['common', 900023],
    ['a%2Fb', 900023],
    ['%zz', 900023],
  ] as const) {
    const answer = await world.exchange(assertion, {}, { tenant })
    t.match(answer, { status: 400, body: { error: 'invalid_request', error_codes: [code] } }, tenant)
  }
})

t.test('a body of another form is refused', async (t) => {
  await using world = await startWorld()
  const form = new URLSearchParams({ ...TOKEN_REQUEST, client_assertion: await world.assertion() })
  const send = async (contentType: string, body: string) => {
    const answer = await world.send(
      `/${TENANT}/oauth2/v2.0/token`,
      'POST',
      { 'content-type': contentType },
      body,
    )
    return answer.body.error_codes?.[0]
  }
  t.equal(await send('application/json', JSON.stringify(Object.fromEntries(form))), 900144)
  t.equal(await send('text/plain', form.toString()), 900144)
  t.equal(await send('application/x-www-form-urlencoded', `${form}&scope=second`), 9000411)
  t.equal(await send('application/x-www-form-urlencoded; charset=utf-8', `${form}&unknown=1`), undefined)
})

t.test(
  'the discovery document leads to the token endpoint and the keys; other paths are not there',
  async (t) => {
    await using world = await startWorld()
    const { body } = await world.send(`/${TENANT}/v2.0/.well-known/openid-configuration`)
    t.equal(body.token_endpoint, `${world.azure.authorityUrl}/${TENANT}/oauth2/v2.0/token`)
    t.match((await world.send(new URL(body.jwks_uri).pathname)).body.keys, [{ kty: 'RSA', alg: 'RS256' }])
    t.match(await world.send('/common/v2.0/.well-known/openid-configuration'), { status: 400 })
    for (const path of ['/', `/${TENANT}/oauth2/v2.0/token`, `/${TENANT}/oauth2/token`])
      t.equal((await world.send(path)).status, 404, path)
  },
)

t.test('a scenario refuses the next requests in the words of Entra, then lets them through', async (t) => {
  await using world = await startWorld()
  const { azure } = world
  const assertion = await world.assertion()
  azure.failNext(90033, 2)
  const unavailable = { status: 503, body: { error: 'temporarily_unavailable', error_codes: [90033] } }
  t.match(await world.exchange(assertion), unavailable)
  t.match(await world.exchange(assertion), unavailable)
  t.equal((await world.exchange(assertion)).status, 200)
  azure.failNext(90055)
  t.equal((await world.exchange(assertion)).status, 429)
  azure.tokenLifetimeSeconds = 86_399
  t.match(await world.exchange(assertion), { body: { expires_in: 86_399, ext_expires_in: 86_399 } })
})

t.test('an injected answer is given instead, and an outage resets connections', async (t) => {
  await using world = await startWorld()
  const { azure } = world
  const assertion = await world.assertion()
  const seen: unknown[] = []
  azure.intercept = (call, body) => {
    seen.push([call, (body as Record<string, string>).grant_type])
    return { status: 429, headers: { 'retry-after': '3' }, body: { error: 'slow_down' } }
  }
  t.match(await world.exchange(assertion), { status: 429, headers: { 'retry-after': '3' } })
  t.same(seen, [['token', 'client_credentials']])
  azure.intercept = undefined
  azure.outage = true
  await t.rejects(world.exchange(assertion))
  azure.outage = false
  t.equal((await world.exchange(assertion)).status, 200)
})

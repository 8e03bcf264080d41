import t from 'tap'
import type { TestAnswer } from '../../support/endpoint-fixture.ts'
import { startAzure } from './start-azure.ts'

// One test for each row of the list of requests that Azure's clients are seen to send.

const TOKEN = '/metadata/identity/oauth2/token'
const RESOURCE = 'https://management.azure.com/'
const QUERY = `api-version=2018-02-01&resource=${RESOURCE}`
const ASK = `${TOKEN}?${QUERY}`

/** Before any token was obtained, in whole seconds. */
const before = Math.floor(Date.now() / 1000)
const { ask, blocked, get, identifier } = await startAzure(t)

type Assertions = Pick<typeof t, 'equal' | 'match'>

function isError(
  t: Assertions,
  answer: TestAnswer,
  status: number,
  error: string,
  description: RegExp | string,
) {
  t.equal(answer.status, status)
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  const body = JSON.parse(answer.body)
  t.equal(body.error, error)
  t.match(body.error_description, description)
}

function isToken(t: Assertions, answer: TestAnswer, resource: string, clientId = 'alpha-app') {
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  t.match(JSON.parse(answer.body), {
    access_token: `eyJ.${clientId}.${resource}.pod-alpha`,
    resource,
    token_type: 'Bearer',
  })
}

t.test('Z1 the probe without header and query is 400 in JSON, before any look-up', async (t) => {
  for (const path of [TOKEN, `${TOKEN}?api-version=2018-02-01`]) {
    for (const from of ['127.0.0.1', '127.0.0.9']) {
      isError(t, await ask(path, { from }), 400, 'invalid_request', 'Required metadata header not specified')
    }
  }
  t.equal(identifier.waiting, 0)
})

t.test(
  'Z2 the probe without header but with query is the same, and never "Identity not found"',
  async (t) => {
    for (const more of ['', '&client_id=unknown', '&object_id=unknown', '&msi-res-id=unknown']) {
      const answer = await ask(ASK + more)
      isError(t, answer, 400, 'invalid_request', 'Required metadata header not specified')
      t.notMatch(answer.body, /Identity not found/)
    }
    for (const header of [['true', 'true'], 'false', '', 'True, true'] as const) {
      t.equal((await ask(ASK, { headers: { Metadata: header } })).status, 400, String(header))
    }
    t.equal((await ask(ASK, { headers: { metadata: 'True' } })).status, 200, 'in any case')
  },
)

t.test('Z3 the token is all strings, expires_in before expires_on', async (t) => {
  const answer = await get(ASK)
  isToken(t, answer, RESOURCE)
  const body = JSON.parse(answer.body) as Record<string, string>
  t.same(Object.keys(body), [
    'access_token',
    'expires_in',
    'expires_on',
    'ext_expires_in',
    'not_before',
    'resource',
    'token_type',
  ])
  for (const value of Object.values(body)) t.equal(typeof value, 'string')
  for (const name of ['expires_in', 'expires_on', 'ext_expires_in', 'not_before'])
    t.match(body[name], /^[1-9]\d*$/)
  t.ok(Number(body.expires_on) >= before + 3599)
  t.ok(Number(body.expires_in) <= 3599)
  for (const version of ['2019-08-01', '2021-02-01', '2030-01-01']) {
    t.equal((await get(ASK.replace('2018-02-01', version))).status, 200, version)
  }
})

t.test('Z4 a selector in any spelling gives the token of that identity and is repeated', async (t) => {
  const spellings = {
    'client_id=other-app': { client_id: 'other-app' },
    'client_id=alpha-app': { client_id: 'alpha-app' },
    'object_id=other-object': { object_id: 'other-object' },
    'principal_id=other-principal': { principal_id: 'other-principal' },
    'msi_res_id=/other': { msi_res_id: '/other' },
    'mi_res_id=%2Fother': { msi_res_id: '/other' },
    'msi-res-id=/other': { msi_res_id: '/other' },
    'mi-res-id=/other': { msi_res_id: '/other' },
  }
  for (const [selector, echo] of Object.entries(spellings)) {
    const answer = await get(`${ASK}&${selector}`)
    isToken(t, answer, RESOURCE, selector.includes('alpha') ? 'alpha-app' : 'other-app')
    t.match(JSON.parse(answer.body), echo, selector)
  }
})

t.test('Z4 an unknown or empty identity is 400 Identity not found, never another’s token', async (t) => {
  const unknown = [
    'client_id=beta-app',
    'object_id=x',
    'msi_res_id=x',
    'principal_id=x',
    'client_id=',
    'object_id=other-app',
  ]
  for (const selector of [...unknown, `mi_res_id=${'x'.repeat(1025)}`]) {
    isError(t, await get(`${ASK}&${selector}`), 400, 'invalid_request', /^Identity not found/)
  }
})

t.test('Z4 two selectors are 400', async (t) => {
  for (const two of ['client_id=other-app&object_id=other-object', 'mi_res_id=/other&msi_res_id=/other']) {
    isError(t, await get(`${ASK}&${two}`), 400, 'invalid_request', /exclude each other/)
  }
})

t.test('Z5 a slash at the end changes nothing', async (t) => {
  isToken(t, await get(`${TOKEN}/?${QUERY}`), RESOURCE)
})

t.test('Z6 nor does a doubled one, nor the case of the first segment', async (t) => {
  isToken(t, await get(`/${ASK}`), RESOURCE)
  isToken(t, await get(ASK.replace('metadata', 'Metadata')), RESOURCE)
  t.equal((await get(ASK.replace('token', 'Token'))).status, 404)
})

t.test('Z7 a content type without a body changes nothing', async (t) => {
  const headers = { metadata: 'true', 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' }
  isToken(t, await ask(ASK, { headers }), RESOURCE)
})

t.test('Z8 the resource is given back as it was asked for', async (t) => {
  for (const resource of [
    'https://vault.azure.net',
    RESOURCE,
    'api://x',
    '00000000-0000-0000-0000-000000000001',
  ]) {
    for (const sent of [resource, encodeURIComponent(resource)]) {
      isToken(t, await get(`${TOKEN}?api-version=2018-02-01&resource=${sent}`), resource)
    }
  }
})

t.test('Z8 a missing or unsupported resource or version, or a repeated name, is 400', async (t) => {
  const version = 'api-version=2018-02-01'
  for (const query of [
    '',
    version,
    `${version}&resource=`,
    `resource=${RESOURCE}`,
    `api-version=2017-12-01&resource=${RESOURCE}`,
    `api-version=latest&resource=${RESOURCE}`,
    `api-version=2018-02-01x&resource=${RESOURCE}`,
    `${version}&resource=https://unknown`,
    `${QUERY}&resource=${RESOURCE}`,
    `${QUERY}&RESOURCE=x`,
    `${QUERY}&client_id=other-app&client_id=other-app`,
  ]) {
    isError(t, await get(`${TOKEN}?${query}`), 400, 'invalid_request', /./)
  }
})

t.test('Z9 the paths of the newer protocol are 404 in JSON, whatever comes with them', async (t) => {
  for (const headers of [{}, { Metadata: 'true' }] as Record<string, string>[]) {
    const platform = await ask('/metadata/identity/getplatformmetadata?cred-api-version=2.0', { headers })
    isError(t, platform, 404, 'not_found', /./)
    const issue = { method: 'POST', headers, body: '{"csr":"x"}' }
    isError(t, await ask('/metadata/identity/issuecredential?cid=1', issue), 404, 'not_found', /./)
  }
})

t.test('Z10 the instance, as JSON and as text', async (t) => {
  const compute = {
    azEnvironment: 'AzurePublicCloud',
    location: 'westeurope',
    name: 'aks-pool-1234-vmss000000',
    osType: 'Linux',
    subscriptionId: '',
    vmSize: 'Standard_D4s_v5',
    zone: '2',
  }
  const version = 'api-version=2021-02-01'
  const all = JSON.parse((await get(`/metadata/instance?${version}`)).body)
  t.match(all.compute, compute)
  t.equal(all.network.interface[0].ipv4.ipAddress[0].privateIpAddress, '10.224.0.4')
  for (const slash of ['', '/']) {
    const answer = await get(`/metadata/instance/compute${slash}?${version}&format=json`)
    t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    t.same(JSON.parse(answer.body), all.compute)
  }
  const leaves = {
    'compute/location': 'westeurope',
    'compute/vmId': '',
    'network/interface/0/ipv4/ipAddress/0/privateIpAddress': '10.224.0.4',
    network: 'interface/',
    'network/interface': '0/',
    '': 'compute/\nnetwork/',
  }
  for (const [path, value] of Object.entries(leaves)) {
    const answer = await get(`/metadata/instance/${path}?${version}&format=text`)
    t.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
    t.equal(answer.body, value, path)
  }
})

t.test('Z10 a version shows what it had', async (t) => {
  const at = async (version: string) =>
    JSON.parse((await get(`/metadata/instance/compute?api-version=${version}`)).body)
  t.notOk('zone' in (await at('2017-08-01')))
  t.equal((await at('2017-12-01')).zone, '2')
  t.notOk('azEnvironment' in (await at('2018-04-02')))
})

t.test('Z10 without header, version or format it is 400', async (t) => {
  const query = '?api-version=2021-02-01'
  t.equal((await ask(`/metadata/instance${query}`)).status, 400)
  for (const bad of ['', '?api-version=2021-02-02', '?api-version=', `${query}&api-version=2021-02-01`]) {
    t.equal((await get(`/metadata/instance${bad}`)).status, 400, bad)
  }
  t.match(JSON.parse((await get('/metadata/instance')).body), {
    error: /^Bad request\. api-version is invalid/,
    'newest-versions': ['2025-04-07', '2024-07-17', '2024-03-15'],
  })
  isError(t, await get(`/metadata/instance/compute/location${query}`), 400, 'invalid_request', /format=text/)
  isError(t, await get(`/metadata/instance${query}&format=xml`), 400, 'invalid_request', /format/)
})

t.test('Z11 X-Forwarded-For is 400', async (t) => {
  for (const path of [ASK, '/metadata/instance?api-version=2021-02-01']) {
    const headers = { Metadata: 'true', 'X-Forwarded-For': '10.0.0.1' }
    isError(t, await ask(path, { headers }), 400, 'invalid_request', /X-Forwarded-For/)
  }
})

t.test('versions and the tenant', async (t) => {
  const { apiVersions } = JSON.parse((await get('/metadata/versions')).body)
  t.equal(apiVersions.length, 35)
  t.same(apiVersions, [...apiVersions].sort())
  const info = await get('/metadata/identity/info?api-version=2018-02-01')
  t.same(JSON.parse(info.body), { tenantId: 'the-tenant' })
  t.equal((await get('/metadata/identity/info')).status, 400)
})

t.test('what proves or drives the node, or holds its data, is 404 and counted', async (t) => {
  const before = await blocked()
  const paths = [
    'attested/document?api-version=2021-02-01&nonce=1',
    'scheduledevents?api-version=2020-07-01',
    'loadbalancer?api-version=2021-02-01',
    'instance/compute/userData?api-version=2021-02-01&format=text',
    'instance/compute/customData?api-version=2021-02-01&format=text',
    'instance/compute/publicKeys?api-version=2021-02-01',
    'instance/compute/__proto__?api-version=2021-02-01',
    'instance/compute/location/length?api-version=2021-02-01&format=text',
    'instance/network/interface/length?api-version=2021-02-01&format=text',
    'instance/network/interface/1?api-version=2021-02-01',
    'identity/oauth2',
    'nowhere',
  ]
  for (const path of paths) isError(t, await get(`/metadata/${path}`), 404, 'not_found', /./)
  t.equal((await blocked()) - before, paths.length)
})

t.test('other methods than GET are 405', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    for (const path of [ASK, '/metadata/scheduledevents?api-version=2020-07-01', '/metadata/instance']) {
      const answer = await ask(path, { method, headers: { Metadata: 'true' } })
      isError(t, answer, 405, 'method_not_allowed', /GET/)
      t.equal(answer.headers.allow, 'GET')
    }
  }
  t.equal((await ask(ASK, { method: 'HEAD', headers: { Metadata: 'true' } })).status, 405)
})

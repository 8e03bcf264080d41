import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { type TestAnswer, testCaller } from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { NODE, startAws } from './start-aws.ts'

// One test for each row of the list of requests that AWS's clients are seen to send.

const META = '/latest/meta-data'
const ROLES = `${META}/iam/security-credentials/`
const TTL = 'x-aws-ec2-metadata-token-ttl-seconds'
const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

type Assertions = Pick<typeof t, 'equal' | 'match'>

const { ask, blocked, get, identifier, raw, token } = await startAws(t)

function isText(t: Assertions, answer: TestAnswer, body: string) {
  t.equal(answer.status, 200)
  t.equal(answer.body, body)
  t.equal(answer.headers['content-type'], 'text/plain')
  t.equal(answer.headers['content-length'], String(Buffer.byteLength(body)))
}

function isPage(t: Assertions, answer: TestAnswer, status: number) {
  t.equal(answer.status, status)
  t.equal(answer.headers['content-type'], 'text/html')
  t.match(answer.body, new RegExp(`<title>${status} - `))
  t.equal(answer.headers.server, 'EC2ws')
}

t.test('A1 PUT gives a header-safe token and its TTL, however the request is spelled', async (t) => {
  for (const headers of [
    { 'X-aws-ec2-metadata-token-ttl-seconds': '21600' },
    { 'X-AWS-EC2-METADATA-TOKEN-TTL-SECONDS': '300', 'Content-Length': '0' },
    { [TTL]: '1', 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '0' },
  ]) {
    const answer = await ask('/latest/api/token', { method: 'PUT', headers })
    isText(t, answer, answer.body)
    t.match(answer.body, /^[\w-]{20,}$/)
    t.equal(answer.headers[TTL], Object.values(headers)[0])
  }
  const bare = await raw(
    `PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\n${TTL}: 60\r\nConnection: close\r\n\r\n`,
  )
  t.match(bare, /^HTTP\/1\.1 200 OK\r\n/, 'curl -X PUT sends no Content-Length')
  const rebound = await raw(
    `PUT /latest/api/token HTTP/1.1\r\nHost: evil.example\r\n${TTL}: 60\r\nConnection: close\r\n\r\n`,
  )
  t.match(rebound, /^HTTP\/1\.1 403 Forbidden\r\n/, 'a web page can send it too, under its own name')
})

t.test('A1 PUT is answered for a pod that is not known', async (t) => {
  const put = { method: 'PUT', headers: { [TTL]: '60' }, from: '127.0.0.9' }
  t.equal((await ask('/latest/api/token', put)).status, 200)
  t.equal(identifier.waiting, 0)
})

t.test('A2 a TTL that is missing or out of range is 400', async (t) => {
  for (const ttl of ['', '0', '21601', 'abc', '-1', '1.5', '1e3', '0x10', '999999', '+5']) {
    isPage(t, await ask('/latest/api/token', { method: 'PUT', headers: { [TTL]: ttl } }), 400)
  }
  isPage(t, await ask('/latest/api/token', { method: 'PUT' }), 400)
  isPage(t, await ask('/latest/api/token', { method: 'PUT', headers: { [TTL]: ['60', '60'] } }), 400)
})

t.test('A3 other methods than PUT are 405 on the token path', async (t) => {
  for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
    const answer = await ask('/latest/api/token', { method, headers: { [TTL]: '60' } })
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.allow, 'PUT')
  }
  t.equal((await ask(ROLES, { method: 'POST' })).status, 405)
})

t.test('A4 the one role is listed without a newline, with and without the slash', async (t) => {
  isText(t, await get(ROLES), 'alpha-role')
  isText(t, await get(ROLES.slice(0, -1)), 'alpha-role')
  isText(t, await get(ROLES, { from: '127.0.0.2' }), 'beta-role')
  isText(t, await get(`${META}/iam/security-credentials-extended/`), 'alpha-role')
})

t.test('A5 the credentials have exactly the seven fields, for the pod’s own role alone', async (t) => {
  for (const path of [
    `${ROLES}alpha-role`,
    `${ROLES}alpha-role/`,
    '//latest//meta-data/iam/security-credentials/alpha-role',
  ]) {
    const answer = await get(path)
    isText(t, answer, answer.body)
    const document = JSON.parse(answer.body)
    t.match(document, {
      Code: 'Success',
      LastUpdated: SECONDS,
      Type: 'AWS-HMAC',
      AccessKeyId: 'ASIA-alpha',
      SecretAccessKey: 'secret-pod-alpha',
      Token: 'session-pod-alpha',
      Expiration: SECONDS,
    })
    t.equal(Object.keys(document).length, 7)
    t.equal(Date.parse(document.Expiration) - Date.parse(document.LastUpdated) >= 3_600_000, true)
  }
  isPage(t, await get(`${ROLES}beta-role`), 404)
  isPage(t, await get(`${ROLES}Alpha-role`), 404)
  isPage(t, await get(`${ROLES}alpha-role/more`), 404)
})

t.test('A5 the extended credentials have the account too', async (t) => {
  const answer = await get(`${META}/iam/security-credentials-extended/alpha-role`)
  t.match(JSON.parse(answer.body), { Code: 'Success', AccountId: '123456789012', Token: 'session-pod-alpha' })
})

t.test('A6 a doubled slash is one', async (t) => {
  isText(t, await get('//latest/meta-data/iam/security-credentials/'), 'alpha-role')
  isText(t, await get('//latest//meta-data//placement//region'), 'us-east-2')
})

t.test('A7 the availability zone, with and without the slash', async (t) => {
  isText(t, await get(`${META}/placement/availability-zone`), 'us-east-2b')
  isText(t, await get(`${META}/placement/availability-zone/`), 'us-east-2b')
  isText(t, await get(`${META}/placement/availability-zone-id`), 'use2-az2')
})

t.test('A8 the region', async (t) => {
  isText(t, await get(`${META}/placement/region`), 'us-east-2')
})

t.test('A9 the identity document, with the account of the pod’s role', async (t) => {
  for (const path of ['document', 'document/']) {
    const answer = await get(`/latest/dynamic/instance-identity/${path}`)
    t.match(JSON.parse(answer.body), {
      accountId: '123456789012',
      architecture: 'arm64',
      availabilityZone: 'us-east-2b',
      imageId: null,
      instanceId: 'i-0123456789abcdef0',
      instanceType: 'm7g.large',
      pendingTime: '2026-01-01T00:00:00Z',
      privateIp: '10.0.1.2',
      region: 'us-east-2',
      version: '2017-09-30',
    })
  }
})

t.test('A10 leaves have a value with and without the slash, or are 404', async (t) => {
  const values = {
    'instance-id': 'i-0123456789abcdef0',
    'instance-type': 'm7g.large',
    'local-ipv4': '10.0.1.2',
    hostname: NODE.name,
    'local-hostname': NODE.name,
    'services/domain': 'amazonaws.com',
    'services/partition': 'aws',
  }
  for (const [path, value] of Object.entries(values)) {
    isText(t, await get(`${META}/${path}`), value)
    isText(t, await get(`${META}/${path}/`), value)
  }
  for (const path of ['ami-id/', 'mac/', 'network/interfaces/macs/02:00/vpc-id/', 'tags/instance', 'tags/']) {
    isPage(t, await get(`${META}/${path}`), 404)
  }
})

t.test('A11 GET / with INVALID for a token is an empty 401, also where none is needed', async (t) => {
  const v1 = await startAws(t, { imdsV1: true })
  for (const it of [ask, v1.ask]) {
    const answer = await it('/', { headers: { 'X-aws-ec2-metadata-token': 'INVALID' } })
    t.equal(answer.status, 401)
    t.equal(answer.body, '')
  }
  isText(t, await get('/'), 'latest')
})

t.test('A12 without a good token of this pod everything is 401', async (t) => {
  const paths = [
    '/',
    '/latest/',
    ROLES,
    `${ROLES}alpha-role`,
    `${META}/placement/region`,
    '/latest/user-data',
  ]
  const betas = await token('127.0.0.2')
  for (const path of paths) {
    t.equal((await ask(path)).status, 401, `${path} without a token`)
    t.equal((await get(path, { token: betas })).status, 401, `${path} with another pod’s`)
    t.equal((await get(path, { token: 'x' })).status, 401, `${path} with rubbish`)
    t.equal((await get(path, { token: '' })).status, 401, `${path} with nothing`)
    const twice = { 'x-aws-ec2-metadata-token': [await token(), await token()] }
    t.equal((await ask(path, { headers: twice })).status, 401, `${path} with two`)
  }
})

t.test('A12 a token ends with its TTL', async (t) => {
  const clock = new FakeClock()
  const { get, token } = await startAws(t, { clock })
  const short = await token(undefined, '300')
  await clock.advance(299_999)
  t.equal((await get(ROLES, { token: short })).status, 200)
  await clock.advance(1)
  t.equal((await get(ROLES, { token: short })).status, 401)
})

t.test('A12 a pod that comes to the address later can’t use the token of the one before', async (t) => {
  const clock = new FakeClock()
  const { get, identifier, token } = await startAws(t, { clock })
  const known = await token()
  identifier.set('127.0.0.1', testCaller('gamma'))
  t.equal((await get(ROLES, { token: known })).status, 401, 'of a pod that was known, however soon')

  identifier.set('127.0.0.1', undefined)
  const unknown = await token()
  const at = (createdAt: number) => {
    const caller = testCaller('delta')
    return { ...caller, pod: { ...caller.pod, createdAt } }
  }
  identifier.set('127.0.0.1', at(clock.now() + 10_001))
  t.equal((await get(ROLES, { token: unknown })).status, 401, 'of a pod that was not, by the time')
  identifier.set('127.0.0.1', at(clock.now()))
  t.equal((await get(ROLES, { token: unknown })).status, 200, 'its own first token')
  identifier.set('127.0.0.1', at(clock.now() + 5_000))
  t.equal((await get(ROLES, { token: unknown })).status, 200, 'its own, by a clock that is behind')
})

t.test('A13 where version 1 is allowed no token is needed, and a bad one is still 401', async (t) => {
  const { ask, get } = await startAws(t, { imdsV1: true })
  isText(t, await ask(ROLES), 'alpha-role')
  t.match(JSON.parse((await ask(`${ROLES}alpha-role`)).body), { Code: 'Success' })
  isText(t, await ask('/'), 'latest')
  isText(t, await ask(`${META}/placement/region`, { from: '127.0.0.9' }), 'us-east-2')
  t.equal((await get(ROLES, { token: 'x' })).status, 401)
  t.equal((await get(ROLES)).status, 200)
})

t.test('A14 a token outlives the daemon that gave it, and not its key', async (t) => {
  const key = createSecretKey(Buffer.alloc(32, 7))
  const before = await startAws(t, { key })
  const kept = await before.token()
  const after = await startAws(t, { key })
  isText(t, await after.get(ROLES, { token: kept }), 'alpha-role')
  t.equal((await get(ROLES, { token: kept })).status, 401)
})

t.test('A15 listings, a line an entry, whatever the version', async (t) => {
  const meta = 'hostname\niam/\ninstance-id\ninstance-type\nlocal-hostname\nlocal-ipv4\nplacement/\nservices/'
  for (const version of ['latest', '1.0', '2009-04-04', '2021-01-03']) {
    isText(t, await get(`/${version}`), 'dynamic\nmeta-data')
    isText(t, await get(`/${version}/`), 'dynamic\nmeta-data')
    isText(t, await get(`/${version}/meta-data/`), meta)
    isText(t, await get(`/${version}/meta-data`), meta)
    isText(t, await get(`/${version}/meta-data/iam/security-credentials/`), 'alpha-role')
  }
  isText(t, await get(`${META}/iam/`), 'info\nsecurity-credentials/')
  isText(t, await get(`${META}/placement/`), 'availability-zone\navailability-zone-id\nregion')
  isText(t, await get('/latest/dynamic/'), 'instance-identity/')
})

t.test('A16 X-Forwarded-For is 403, on the PUT and everywhere', async (t) => {
  const forwarded = { 'X-Forwarded-For': '10.0.0.1', [TTL]: '60' }
  isPage(t, await ask('/latest/api/token', { method: 'PUT', headers: forwarded }), 403)
  const headers = { ...forwarded, 'x-aws-ec2-metadata-token': await token() }
  isPage(t, await ask(ROLES, { headers }), 403)
})

t.test('iam/info shows an instance profile of the pod’s role', async (t) => {
  const answer = await get(`${META}/iam/info`)
  t.match(JSON.parse(answer.body), {
    Code: 'Success',
    LastUpdated: SECONDS,
    InstanceProfileArn: 'arn:aws:iam::123456789012:instance-profile/alpha-role',
    InstanceProfileId: /^AIPA[0-9A-F]{17}$/,
  })
})

t.test('what is the node’s own or unknown is 404, and counted', async (t) => {
  const before = await blocked()
  const paths = [
    '/latest/user-data',
    '/latest/dynamic/instance-identity/pkcs7',
    '/latest/dynamic/instance-identity/signature',
    '/latest/dynamic/instance-identity/rsa2048',
    `${META}/public-keys/0/openssh-key`,
    `${META}/identity-credentials/ec2/security-credentials/ec2-instance`,
    `${META}/managed-ssh-keys/signer-cert`,
    '/latest/constructor',
    `${META}/__proto__`,
    '/nowhere',
  ]
  for (const path of paths) isPage(t, await get(path), 404)
  t.equal((await blocked()) - before, paths.length)
})

import t from 'tap'
import {
  DEFAULT_SCOPES,
  startEndpoints,
  type TestAnswer,
  testCaller,
} from '../../support/endpoint-fixture.ts'

// One test for each row of the list of requests that Google's clients are seen to send.

const V1 = '/computeMetadata/v1'
const ACCOUNTS = `${V1}/instance/service-accounts`
const EMAIL = 'alpha@my-project.iam.gserviceaccount.com'

const { ask, close, credentials, facts, identifier, metrics } = await startEndpoints()
t.teardown(() => close())

type Assertions = Pick<typeof t, 'equal' | 'match' | 'ok'>

/** A 200 with exactly this type and body, and with what every reply has. */
function isValue(t: Assertions, answer: TestAnswer, body: string, contentType = 'application/text') {
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], contentType)
  t.equal(answer.body, body)
  hasCommonHeaders(t, answer)
}

function hasCommonHeaders(t: Assertions, answer: TestAnswer) {
  t.equal(answer.headers['metadata-flavor'], 'Google')
  t.equal(answer.headers['x-xss-protection'], '0')
  t.equal(answer.headers['x-frame-options'], 'SAMEORIGIN')
  t.match(answer.headers.etag, /^[0-9a-f]{16}$/)
  t.ok(answer.rawHeaders.includes('ETag'), 'spelled ETag')
  t.equal(answer.headers['content-length'], String(Buffer.byteLength(answer.body)))
}

function isNotFound(t: Assertions, answer: TestAnswer) {
  t.equal(answer.status, 404)
  t.equal(answer.body, 'Not Found\n')
  hasCommonHeaders(t, answer)
}

t.test('G1 GET / with the header', async (t) => {
  isValue(t, await ask('/', { headers: { 'x-goog-api-client': 'gl-python/3.12' } }), 'computeMetadata/\n')
})

t.test('G2 GET / without the header, by a pod that is not known', async (t) => {
  isValue(t, await ask('/', { plain: true, from: '127.0.1.99' }), 'computeMetadata/\n')
})

t.test('G3 GET instance without a slash is answered at once', async (t) => {
  const answer = await ask(`${V1}/instance`)
  t.match(answer.body, /^attributes\/\n/)
  isValue(t, answer, answer.body)
})

t.test('G4 directories are listed a line an entry', async (t) => {
  const instance = 'attributes/\nhostname\nid\nname\nservice-accounts/\ntags\nzone\n'
  isValue(t, await ask(`${V1}/instance/`), instance)
  isValue(t, await ask('/computeMetadata/'), 'v1/\n')
  isValue(t, await ask(`${V1}/`), 'instance/\nproject/\nuniverse/\n')
  isValue(t, await ask(`${V1}/project/`), 'numeric-project-id\nproject-id\n')
})

t.test('G5 the numeric project id is digits and nothing else', async (t) => {
  isValue(t, await ask(`${V1}/project/numeric-project-id`), '123456789012')
})

t.test('G6 the project id', async (t) => {
  isValue(t, await ask(`${V1}/project/project-id`), 'my-project')
})

t.test('G7 the universe domain', async (t) => {
  isValue(t, await ask(`${V1}/universe/universe-domain`), 'googleapis.com')
})

t.test('G8 service accounts are listed, and without the slash redirected with the query kept', async (t) => {
  isValue(t, await ask(`${ACCOUNTS}/`), `default/\n${EMAIL}/\n`)
  const redirect = await ask(`${ACCOUNTS}?alt=text&x=%41`)
  t.equal(redirect.status, 301)
  t.equal(redirect.headers.location, `${ACCOUNTS}/?alt=text&x=%41`)
  t.equal(redirect.headers['content-type'], 'text/html')
  t.equal(redirect.body, `${ACCOUNTS}/\n`)
  hasCommonHeaders(t, redirect)
})

t.test('G9 all service accounts, recursively', async (t) => {
  const own = { aliases: ['default'], email: EMAIL, scopes: DEFAULT_SCOPES }
  const answer = await ask(`${ACCOUNTS}/?recursive=true`)
  isValue(t, answer, JSON.stringify({ default: own, [EMAIL]: own }), 'application/json')
})

t.test('G10 one service account, recursively, by alias, e-mail and escaped e-mail', async (t) => {
  const own = JSON.stringify({ aliases: ['default'], email: EMAIL, scopes: DEFAULT_SCOPES })
  for (const account of ['default', EMAIL, EMAIL.replace('@', '%40')]) {
    for (const query of ['recursive=true', 'recursive=True', 'RECURSIVE=x&recursive=TRUE']) {
      isValue(t, await ask(`${ACCOUNTS}/${account}/?${query}`), own, 'application/json')
    }
  }
  const flat = await ask(`${ACCOUNTS}/default/?recursive=true&alt=text`)
  const scopes = DEFAULT_SCOPES.map((scope) => `scopes ${scope}\n`).join('')
  isValue(t, flat, `aliases default\nemail ${EMAIL}\n${scopes}`)
})

t.test('G11 the e-mail', async (t) => {
  for (const account of ['default', EMAIL, EMAIL.replace('@', '%40')]) {
    isValue(t, await ask(`${ACCOUNTS}/${account}/email`), EMAIL)
  }
})

t.test('G12 the scopes, a line each', async (t) => {
  const lines = DEFAULT_SCOPES.map((scope) => `${scope}\n`).join('')
  isValue(t, await ask(`${ACCOUNTS}/default/scopes`), lines)
  isValue(
    t,
    await ask(`${ACCOUNTS}/${EMAIL}/scopes?alt=json`),
    JSON.stringify(DEFAULT_SCOPES),
    'application/json',
  )
})

t.test('G13 the access token, by alias, e-mail and escaped e-mail', async (t) => {
  for (const account of ['default', EMAIL, EMAIL.replace('@', '%40')]) {
    const answer = await ask(`${ACCOUNTS}/${account}/token`)
    isValue(t, answer, answer.body, 'application/json')
    const token = JSON.parse(answer.body)
    t.equal(token.access_token, `ya29.${EMAIL}.2.pod-alpha`)
    t.equal(token.token_type, 'Bearer')
    t.ok(Number.isInteger(token.expires_in))
    t.ok(token.expires_in > 3500 && token.expires_in < 3600)
  }
})

t.test('G14 the access token with scopes: whatever means the same is one credential', async (t) => {
  const before = credentials.obtained.length
  const [a, b] = DEFAULT_SCOPES as [string, string]
  const spellings = [
    `scopes=${a},${b}`,
    `scopes=${b},${a}`,
    `scopes=${encodeURIComponent(`${b},${a},${b}`)}`,
    `scopes=${a}&scopes=${b}`,
    'scopes=',
    'scopes=,',
  ]
  for (const query of spellings) {
    t.equal(
      JSON.parse((await ask(`${ACCOUNTS}/default/token?${query}`)).body).access_token,
      `ya29.${EMAIL}.2.pod-alpha`,
    )
  }
  t.equal(credentials.obtained.length, before, 'the default set was there already')
  for (const query of ['scopes=x,y,z', 'scopes=z%2Cx%2Cy', 'scopes=z&scopes=y,x,x']) {
    t.equal(
      JSON.parse((await ask(`${ACCOUNTS}/default/token?${query}`)).body).access_token,
      `ya29.${EMAIL}.3.pod-alpha`,
    )
  }
  t.strictSame(credentials.obtained.slice(before), [`access ${EMAIL} x y z`])
  for (const query of ['scopes=a%20b', 'scopes=a%22', 'scopes=%E9', `scopes=${'a'.repeat(5000)}`]) {
    const refused = await ask(`${ACCOUNTS}/default/token?${query}`)
    t.equal(refused.status, 400)
    hasCommonHeaders(t, refused)
  }
})

t.test('G15 parameters that mean nothing here are ignored', async (t) => {
  for (const query of [
    'transport=mtls&binding-enforcement=on',
    'bindCertificateFingerprint=abc',
    'recursive=true',
    '&=&%zz',
  ]) {
    t.equal((await ask(`${ACCOUNTS}/default/token?${query}`)).status, 200, query)
  }
})

t.test('G16 the ID token', async (t) => {
  for (const account of ['default', EMAIL]) {
    for (const more of ['&format=full&licenses=TRUE', '&format=standard&licenses=FALSE', '']) {
      const answer = await ask(`${ACCOUNTS}/${account}/identity?audience=https%3A%2F%2Fsvc.example${more}`)
      isValue(t, answer, `eyJ.${EMAIL}.https://svc.example.pod-alpha`, 'text/html')
    }
  }
  t.equal((await ask(`${ACCOUNTS}/default/identity`)).status, 400)
  t.equal((await ask(`${ACCOUNTS}/default/identity?audience=&format=full`)).status, 400)
  t.equal((await ask(`${ACCOUNTS}/default/identity?audience=${'a'.repeat(2049)}`)).status, 400)
  const federated = { serviceAccountEmail: undefined, email: 'my-project.svc.id.goog' }
  identifier.set('127.0.1.2', testCaller('plain', federated))
  const refused = await ask(`${ACCOUNTS}/default/identity?audience=x`, { from: '127.0.1.2' })
  t.equal(refused.status, 404, 'cannot mint: gcloud survives nothing else')
  t.match(refused.body, /iam\.gke\.io\/gcp-service-account/)
  hasCommonHeaders(t, refused)
})

t.test('G17 an audience that was not escaped ends at its first ampersand', async (t) => {
  const answer = await ask(`${ACCOUNTS}/default/identity?format=full&audience=https://svc/?a=b&c=d`)
  isValue(t, answer, `eyJ.${EMAIL}.https://svc/?a=b.pod-alpha`, 'text/html')
})

t.test('G18 what is known of the instance', async (t) => {
  isValue(t, await ask(`${V1}/instance/zone`), 'projects/123456789012/zones/europe-west1-b')
  isValue(t, await ask(`${V1}/instance/hostname`), 'node-1.c.my-project.internal')
  isValue(t, await ask(`${V1}/instance/name`), 'node-1')
  isValue(t, await ask(`${V1}/instance/tags`), '[]', 'application/json')
  isValue(t, await ask(`${V1}/instance/tags?alt=text`), '')
  isValue(
    t,
    await ask(`${V1}/instance/zone?alt=json`),
    '"projects/123456789012/zones/europe-west1-b"',
    'application/json',
  )
  const id = await ask(`${V1}/instance/id`)
  isValue(t, id, id.body)
  t.ok(BigInt(id.body) > 0n && BigInt(id.body) < 2n ** 63n)
  isValue(t, await ask(`${V1}/instance/id?alt=json`), id.body, 'application/json')
  isNotFound(t, await ask(`${V1}/instance/machine-type`))
})

t.test('G19 the attributes', async (t) => {
  isValue(t, await ask(`${V1}/instance/attributes/`), 'cluster-location\ncluster-name\n')
  isValue(t, await ask(`${V1}/instance/attributes/cluster-name`), 'prod')
  isValue(t, await ask(`${V1}/instance/attributes/cluster-location`), 'europe-west1')
  isNotFound(t, await ask(`${V1}/instance/attributes/cluster-uid`))
  isNotFound(t, await ask(`${V1}/instance/attributes/kube-env`))
})

t.test('G20 what is not emulated is 404, and counted', async (t) => {
  metrics.blocked.reset()
  const missing = ['network-interfaces/0/ip', 'disks/', 'zone/', 'attributes/__proto__', 'constructor']
  for (const path of missing) isNotFound(t, await ask(`${V1}/instance/${path}`))
  isNotFound(t, await ask('/computeMetadata/v1beta1/instance/zone'))
  isNotFound(t, await ask(`${ACCOUNTS}/other@my-project.iam.gserviceaccount.com/email`))
  t.match(await metrics.blocked.get(), { values: [{ labels: { protocol: 'google' }, value: 7 }] })
  isNotFound(t, await ask(`${ACCOUNTS}/other@my-project.iam.gserviceaccount.com/token`))
  isNotFound(t, await ask(`${ACCOUNTS}/other@my-project.iam.gserviceaccount.com/identity?audience=x`))
})

t.test('G21 wait_for_change holds until there is a change', async (t) => {
  const zone = `${V1}/instance/zone`
  const { etag } = (await ask(zone)).headers
  const wait = `${zone}?wait_for_change=true`
  isValue(t, await ask(`${wait}&last_etag=0`), 'projects/123456789012/zones/europe-west1-b')
  isValue(t, await ask(`${wait}&last_etag=0123456789abcdef`), 'projects/123456789012/zones/europe-west1-b')
  isValue(
    t,
    await ask(`${wait}&last_etag=${etag}&timeout_sec=0`),
    'projects/123456789012/zones/europe-west1-b',
  )
  const held = ask(`${wait}&last_etag=${etag}`)
  const everything = `${V1}/?recursive=true&alt=json`
  const all0 = await ask(everything)
  const recursive = ask(`${everything}&wait_for_change=true&timeout_sec=60&last_etag=${all0.headers.etag}`)
  facts.update({ uid: 'b2d9', labels: { 'topology.kubernetes.io/zone': 'europe-west1-c' } })
  const changed = await held
  isValue(t, changed, 'projects/123456789012/zones/europe-west1-c')
  t.not(changed.headers.etag, etag)
  const all = JSON.parse((await recursive).body)
  t.equal(all.instance.zone, 'projects/123456789012/zones/europe-west1-c')
  t.equal(all.instance.serviceAccounts.default.email, EMAIL)
  t.equal(all.instance.attributes['cluster-name'], 'prod')
  t.equal(all.project.numericProjectId, 123456789012)
  for (const path of [
    `${ACCOUNTS}/default/token`,
    `${ACCOUNTS}/default/identity`,
    `${V1}/instance/`,
    `${V1}/instance`,
  ]) {
    const refused = await ask(`${path}?wait_for_change=true&audience=x`)
    t.equal(refused.status, 400, path)
    t.equal(refused.body, 'Invalid Request\n')
    hasCommonHeaders(t, refused)
  }
  t.equal((await ask(`${wait}&timeout_sec=soon`)).status, 400)
})

t.test('G22 nothing but / is answered without the header', async (t) => {
  const paths = [
    '/computeMetadata/',
    `${V1}/instance`,
    `${V1}/project/project-id`,
    `${ACCOUNTS}/default/token`,
    '/nowhere',
  ]
  const wrong = [
    {},
    { 'Metadata-Flavor': 'google' },
    { 'Metadata-Flavor': ['Google', 'Other'] },
    { 'X-Google-Metadata-Request': 'True' },
  ]
  for (const path of paths) {
    for (const headers of wrong) {
      const answer = await ask(path, { plain: true, headers })
      t.equal(answer.status, 403, path)
      t.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
      t.equal(answer.body.length, 94)
      t.match(answer.body, 'Missing required header "Metadata-Flavor": "Google"')
      hasCommonHeaders(t, answer)
    }
  }
})

t.test('G23 X-Forwarded-For is refused on every path', async (t) => {
  for (const path of ['/', `${ACCOUNTS}/default/token`, '/nowhere', '/bad%00path']) {
    const answer = await ask(path, { headers: { 'x-forwarded-FOR': '' } })
    t.equal(answer.status, 403, path)
    hasCommonHeaders(t, answer)
  }
})

t.test('HEAD is GET without the body', async (t) => {
  const got = await ask(`${V1}/project/project-id`)
  const head = await ask(`${V1}/project/project-id`, { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(head.body, '')
  t.equal(head.headers['content-length'], '10')
  t.equal(head.headers.etag, got.headers.etag)
})

t.test('other methods are 405 and say which are allowed', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    const answer = await ask(`${V1}/project/project-id`, { method })
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.allow, 'GET, HEAD')
    hasCommonHeaders(t, answer)
  }
})

t.test('every name of the metadata server is a good Host, and no other', async (t) => {
  const names = [
    '169.254.169.254',
    '169.254.169.254:80',
    '169.254.169.252:988',
    '[fd20:ce::254]',
    '[FD20:CE:0::254]:80',
    'metadata.google.internal',
    'metadata.google.internal.',
    'Metadata.Google.Internal.:80',
    'metadata.goog',
    'metadata',
    'metadata:80',
    '127.0.0.1',
  ]
  for (const host of names)
    t.equal((await ask(`${V1}/project/project-id`, { headers: { host } })).status, 200, host)
  const foreign = [
    'evil.example',
    'metadata.google.internal.evil.example',
    '127.0.0.2',
    '[::1]',
    'metadata:x',
    'a@metadata',
  ]
  for (const host of foreign) {
    t.equal((await ask(`${V1}/project/project-id`, { headers: { host } })).status, 403, host)
    t.equal((await ask('/', { headers: { host } })).status, 403, host)
  }
})

import t from 'tap'
import { startEndpoints } from '../support/endpoint-fixture.ts'

t.test('clouds that are off', async (t) => {
  const { ask, close, metrics } = await startEndpoints()
  t.teardown(() => close())

  t.test('AWS paths are 404 in XHTML, with one slash or two, whatever the method', async (t) => {
    for (const path of [
      '/latest/meta-data/',
      '//latest/meta-data/',
      '/latest',
      '/2009-04-04/user-data',
      '/1.0/',
    ]) {
      const answer = await ask(path, { plain: true })
      t.equal(answer.status, 404, path)
      t.equal(answer.headers['content-type'], 'text/html')
      t.match(answer.body, /<title>404 - Not Found<\/title>/)
    }
    const put = { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' }, plain: true }
    t.equal((await ask('/latest/api/token', put)).status, 404)
    t.match(await metrics.blocked.get(), { values: [{ labels: { protocol: 'aws' }, value: 6 }] })
  })

  t.test('A11: GET / with an AWS session token is an empty 401, which wins over Google', async (t) => {
    const answer = await ask('/', { headers: { 'X-aws-ec2-metadata-token': 'INVALID' } })
    t.equal(answer.status, 401)
    t.equal(answer.body, '')
    t.equal(answer.headers['content-length'], '0')
  })

  t.test('Azure paths are 404 in JSON', async (t) => {
    for (const path of [
      '/metadata/instance?api-version=2021-02-01',
      '/metadata/identity/getplatformmetadata',
    ]) {
      const answer = await ask(path, { plain: true, headers: { Metadata: 'true' } })
      t.equal(answer.status, 404, path)
      t.match(answer.headers['content-type'], /^application\/json/)
      t.equal(JSON.parse(answer.body).error, 'not_found')
    }
  })

  t.test('the Azure token path is never 404', async (t) => {
    const query = '?api-version=2018-02-01&resource=https://management.azure.com/'
    for (const path of ['/metadata/identity/oauth2/token', '//metadata/identity/oauth2/token/']) {
      const answer = await ask(path + query, { plain: true, headers: { Metadata: 'true' } })
      t.equal(answer.status, 400, path)
      t.strictSame(JSON.parse(answer.body), {
        error: 'invalid_request',
        error_description: 'Identity not found',
      })
    }
  })

  t.test('X-Forwarded-For is 403 for AWS and 400 for Azure', async (t) => {
    const forwarded = { plain: true, headers: { 'X-Forwarded-For': '10.0.0.1' } }
    t.equal((await ask('/latest/meta-data/', forwarded)).status, 403)
    t.equal((await ask('/metadata/instance', forwarded)).status, 400)
  })

  t.test('paths that merely begin alike are Google’s 404', async (t) => {
    for (const path of ['/latestx', '/metadatax/', '/20090404/', '/v1/credentials']) {
      const answer = await ask(path)
      t.equal(answer.status, 404, path)
      t.equal(answer.headers['metadata-flavor'], 'Google')
    }
  })
})

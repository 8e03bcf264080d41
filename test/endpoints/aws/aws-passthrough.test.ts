import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { createAwsPassthrough } from '../../../src/endpoints/aws/aws-passthrough.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'
import { startAws } from './start-aws.ts'

const AMI = '/latest/meta-data/ami-id'

/** Our endpoint in front of an IMDSv2 server that answers GET with `listener`; every request that reaches it is kept. */
async function start(t: Test, listener: RequestListener) {
  const requests: IncomingMessage[] = []
  const upstream = createServer((request, response) => {
    requests.push(request)
    if (request.method === 'PUT') response.end('the-nodes-token')
    else listener(request, response)
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const dispatcher = new Agent()
  const clock = new FakeClock()
  const endpoints = await startAws(t, {
    clock,
    passthrough: () =>
      createAwsPassthrough({
        paths: [AMI, '/latest/meta-data/placement/region'],
        upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
        dispatcher,
        clock,
        log: silentLog,
      }),
  })
  t.teardown(async () => {
    await dispatcher.destroy()
    upstream.closeAllConnections()
    upstream.close()
  })
  return { ...endpoints, clock, requests }
}

t.test('an allowed path is fetched by IMDSv2, with nothing of the pod’s request', async (t) => {
  const { ask, get, requests, token } = await start(t, (_request, response) => {
    response.setHeader('Set-Cookie', 'a=b')
    response.end('ami-0123')
  })
  const session = await token()
  const headers = { 'x-aws-ec2-metadata-token': session, Cookie: 'c', 'X-Other': 'x' }
  const answer = await ask(`/${AMI}/?a=b`, { headers })
  t.equal(answer.body, 'ami-0123')
  t.equal(answer.headers['content-type'], 'text/plain')
  t.notOk(answer.headers['set-cookie'])
  t.same(
    requests.map(({ method, url }) => `${method} ${url}`),
    ['PUT /latest/api/token', `GET ${AMI}`],
  )
  for (const { headers } of requests)
    t.notMatch(JSON.stringify(headers), new RegExp(`${session}|cookie|x-other`))
  t.equal(requests[1]!.headers['x-aws-ec2-metadata-token'], 'the-nodes-token')
  t.equal((await ask(AMI)).status, 401, 'a token is needed here too')
  t.equal((await get('/latest/meta-data/ami-launch-index')).status, 404)
  t.equal(requests.length, 2)
  const region = await get('/latest/meta-data/placement/region')
  t.equal(region.body, 'ami-0123', 'the real value stands in for one that would be known')
})

t.test('what the real server does not have is 404, and whatever else it does 503', async (t) => {
  let status = 404
  const { get } = await start(t, (_request, response) => {
    response.writeHead(status, { Location: '/latest/user-data' })
    response.end('x')
  })
  t.equal((await get(AMI)).status, 404)
  for (status of [301, 401, 403, 500]) t.equal((await get(AMI)).status, 503, String(status))
})

t.test('a real server that does not answer, or too much, is 503', async (t) => {
  let hang = true
  const { clock, get, requests } = await start(t, (_request, response) => {
    if (!hang) response.end(Buffer.alloc(1024 * 1024 + 1))
  })
  const answer = get(AMI)
  await until(() => requests.length === 2)
  await clock.advance(900)
  t.equal((await answer).status, 503)
  hang = false
  t.equal((await get(AMI)).status, 503)
  t.equal(clock.pending, 0)
})

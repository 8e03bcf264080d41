import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Agent } from 'undici'
import { createAzurePassthrough } from '../../../src/endpoints/azure/azure-passthrough.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { startAzure } from './start-azure.ts'

const VM_ID = '/metadata/instance/compute/vmId'

t.test('an allowed path is fetched with the header and what the query may say', async (t) => {
  const requests: IncomingMessage[] = []
  let status = 200
  const upstream = createServer((request, response) => {
    requests.push(request)
    response.writeHead(status, { 'Set-Cookie': 'a=b' })
    response.end('the-vm')
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const dispatcher = new Agent()
  const { ask, get } = await startAzure(t, {
    // The real server has 900 ms for its answer.
    clock: new FakeClock(),
    passthrough: (clock) =>
      createAzurePassthrough({
        paths: [VM_ID],
        upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
        dispatcher,
        clock,
        log: silentLog,
      }),
  })
  t.teardown(async () => {
    await dispatcher.destroy()
    upstream.close()
  })
  const headers = { Metadata: 'true', Cookie: 'c', 'X-Other': 'x' }
  const query = 'api-version=2021-02-01&format=TEXT'
  const answer = await ask(`/${VM_ID}/?${query}&x=1`, { headers })
  t.equal(answer.body, 'the-vm')
  t.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
  t.notOk(answer.headers['set-cookie'])
  t.equal(requests[0]!.url, `${VM_ID}?api-version=2021-02-01&format=text`)
  t.equal(requests[0]!.headers.metadata, 'true')
  t.notMatch(JSON.stringify(requests[0]!.headers), /cookie|x-other/)

  t.equal((await ask(`${VM_ID}?${query}`)).status, 400, 'the header is needed here too')
  t.equal((await get('/metadata/attested/document?api-version=2021-02-01')).status, 404)
  t.equal(requests.length, 1)
  for (const [real, shown] of [
    [400, 400],
    [404, 404],
    [301, 503],
    [429, 503],
    [500, 503],
  ] as const) {
    status = real
    const refused = await get(`${VM_ID}?${query}`)
    t.equal(refused.status, shown)
    t.type(JSON.parse(refused.body).error, 'string')
    t.equal(refused.headers['retry-after'], shown === 503 ? '1' : undefined)
  }
})

import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import { disabledAws } from '../../../src/endpoints/disabled-clouds.ts'
import { createMetadataServer } from '../../../src/endpoints/metadata-server.ts'
import { SelfTest } from '../../../src/endpoints/self-test/self-test.ts'
import { createSelfTestProtocol } from '../../../src/endpoints/self-test/self-test-protocol.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createLog } from '../../../src/lib/log.ts'
import { createMetrics } from '../../../src/lib/metrics.ts'
import { TestIdentifier, testCaller } from '../../support/endpoint-fixture.ts'

// What answers on the test's node. `daemon ADDRESS…`: the daemon's server at port 80, with its log on stdout; every pod is the
// probe. `raw ADDRESS`: something else at TCP port 80 and UDP port 53.

const [role, ...addresses] = process.argv.slice(2)

if (role === 'raw') {
  const server = createServer((_request, response) => response.writeHead(404).end('RAW'))
  server.listen(80, addresses[0]!, () => process.stdout.write('{"msg":"listening"}\n'))
  const socket = createSocket('udp4', (_message, { port, address }) => socket.send('RAW', port, address))
  socket.bind(53, addresses[0]!)
} else {
  const metrics = createMetrics()
  const log = createLog('info', process.stdout)
  const shared = { clock: systemClock, log, metrics }
  const expected = { mode: 'bind', captured: addresses, allow: [], exempt: [] } as const
  const selfTest = new SelfTest({ ...shared, node: 'node-1', expected })
  const identifier = new TestIdentifier()
  for (const address of ['10.9.0.2', 'fd99::2']) identifier.set(address, testCaller('probe'))
  const fallback = disabledAws(metrics)
  const selfTestProtocol = createSelfTestProtocol({ ...shared, selfTest, probe: 'default/probe', fallback })
  const server = createMetadataServer({ ...shared, identifier, protocols: [fallback, selfTestProtocol] })
  for (const address of addresses) await server.listen(address, 80)
  log.info({}, 'listening')
}

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { METADATA_ADDRESSES } from '../../../src/lib/metadata-addresses.ts'
import { RAW_ANSWER } from './addresses.ts'

// The raw metadata server: answers at every metadata address, to everybody, at some TCP ports and the UDP ports of DNS and NTP.
// Says `ready`, and ends with its standard input.

const TCP_PORTS = [53, 80, 443, 988, 8080]
const UDP_PORTS = [53, 123]

for (const port of TCP_PORTS) {
  const server = createServer((_request, response) => response.end(RAW_ANSWER)).listen(port, '::')
  await once(server, 'listening')
}
for (const { address, family } of METADATA_ADDRESSES) {
  for (const port of UDP_PORTS) {
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
    socket.on('message', (_message, from) => socket.send(RAW_ANSWER, from.port, from.address))
    socket.bind(port, address)
    await once(socket, 'listening')
  }
}
process.stdin.on('end', () => process.exit()).resume()
process.stdout.write('ready\n')

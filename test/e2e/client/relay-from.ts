import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

/** Somebody who passes on what he hears. */
export interface Relay extends AsyncDisposable {
  /** As the one of the service, but with the relay's address. */
  readonly url: string
}

/** Passes connections on to a service that is reached from this process's namespace alone. */
export async function relayFrom(address: string, serviceUrl: string): Promise<Relay> {
  const { hostname, port, protocol } = new URL(serviceUrl)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const service = connect(Number(port), hostname)
    for (const socket of [client, service]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    // Either end may break off.
    pipeline(client, service, client, () => {})
  }).listen(0, address)
  await once(server, 'listening')
  return {
    url: `${protocol}//${address}:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

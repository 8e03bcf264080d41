import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type {
  ConnectionCredentials,
  KubernetesConnection,
  TlsMaterial,
} from '../../src/kubernetes/connection.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createCertificateAuthority } from '../../src/sandbox/certificate-authority.ts'

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** An HTTPS server with a certificate authority of its own, which asks for a client certificate but needs none. */
export async function startApiServer(handler: Handler) {
  const authority = await createCertificateAuthority()
  const server = createServer({
    ...(await authority.issueServer()),
    ca: authority.pem,
    requestCert: true,
    rejectUnauthorized: false,
    // A client repeats a call that meets the end of a kept connection: none may end by itself where calls are counted.
    keepAliveTimeout: 120_000,
  })
  server.on('request', handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}`
  const tls: TlsMaterial = {
    ca: authority.pem,
    cert: undefined,
    key: undefined,
    servername: undefined,
    insecure: false,
  }
  const trusted: ConnectionCredentials = { token: new Secret('the-token'), tls }
  const connection: KubernetesConnection = { server: url, credentials: async () => trusted }
  return {
    url,
    authority,
    tls,
    connection,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A JSON answer. */
export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

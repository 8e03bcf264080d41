import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { Clock } from '../../src/lib/clock.ts'
import type { CertificateAuthority } from '../../src/sandbox/certificate-authority.ts'

/** A key pair under an id. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

/** Makes a key pair for RS256. */
export async function createSigningKey(kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } }
}

/** An OpenID Connect issuer of service-account tokens, on a socket of its own. */
export class TestIssuer implements AsyncDisposable {
  /** Keys that the JWKS shows. The last one signs. */
  keys: SigningKey[] = []
  /** Answers in place of the documents, by path. */
  readonly replaced = new Map<string, { status?: number; body: string }>()
  /** Is given each answer, fixed at the time of the request, to send it when it likes. */
  onRequest: ((path: string, answer: () => void) => void) | undefined
  /** Paths asked for so far. */
  readonly requests: string[] = []
  readonly #clock: Clock
  readonly #server: ReturnType<typeof createServer>

  private constructor(clock: Clock, server: ReturnType<typeof createServer>) {
    this.#clock = clock
    this.#server = server
    server.on('request', ({ url = '' }, response) => {
      this.requests.push(url)
      const { status = 200, body } = this.replaced.get(url) ?? { body: this.#document(url) }
      const answer = () => response.writeHead(status).end(body)
      if (!this.onRequest) return void answer()
      this.onRequest(url, answer)
    })
  }

  static async start(ca: CertificateAuthority, clock: Clock): Promise<TestIssuer> {
    const server = createServer(await ca.issueServer())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const issuer = new TestIssuer(clock, server)
    issuer.keys = [await createSigningKey('first')]
    return issuer
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** A token of the ServiceAccount `ns/app`, good for ten minutes, with these claims on top (undefined takes one away). */
  token(claims: Record<string, unknown>, key = this.keys.at(-1)!): Promise<string> {
    const now = Math.floor(this.#clock.now() / 1000)
    const payload = {
      iss: this.url,
      sub: 'system:serviceaccount:ns:app',
      iat: now,
      nbf: now,
      exp: now + 600,
      'kubernetes.io': { namespace: 'ns', pod: { name: 'app-0', uid: 'pod-uid' } },
      ...claims,
    }
    return new SignJWT(payload as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', kid: key.kid })
      .sign(key.privateKey)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #document(path: string): string {
    if (path === '/openid/v1/jwks') return JSON.stringify({ keys: this.keys.map((key) => key.publicJwk) })
    return JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/openid/v1/jwks` })
  }
}

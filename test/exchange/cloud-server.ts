import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { Agent } from 'undici'
import type { CredentialHolder, ObtainContext, SubjectTokenWish } from '../../src/exchange/credential-spec.ts'
import type { Log, LogFields } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { HastyClock } from './hasty-clock.ts'

/** A request as the cloud got it. */
export interface CloudRequestSeen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly form: Readonly<Record<string, string>>
}

/** What the cloud answers. */
export interface CloudReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON unless it is a text. */
  readonly body: unknown
}

export const HOLDER: CredentialHolder = {
  namespace: 'team-a',
  name: 'web-0',
  uid: 'pod-uid',
  serviceAccountName: 'web',
  serviceAccountUid: 'sa-uid',
}

/** A service-account token with this issuer, whose signature nobody looks at. */
export function subjectJwt(iss = 'https://issuer.example/cluster'): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part({ iss, sub: 'system:serviceaccount:team-a:web' })}.c2ln`
}

/** A server on loopback that a test answers for, request by request, and all that an exchange in front of it needs. */
export async function startCloud(t: Test, reply: (seen: CloudRequestSeen, index: number) => CloudReply) {
  const seen: CloudRequestSeen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers } = request
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
      const { status = 200, headers: more, body } = reply({ method, url, headers, form }, seen.length)
      seen.push({ method, url, headers, form })
      response.writeHead(status, more).end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const dispatcher = new Agent()
  t.teardown(async () => {
    await dispatcher.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const lines: { fields: LogFields; message: string }[] = []
  const write = (fields: LogFields, message: string) => void lines.push({ fields, message })
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const clock = new HastyClock()
  const asked: ({ audience: string } & SubjectTokenWish)[] = []
  const controller = new AbortController()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    lines,
    asked,
    clock,
    controller,
    parts: { dispatcher, clock, log, metrics: createMetrics(), random: () => 0 },
    context: (holder: Partial<CredentialHolder> = {}): ObtainContext => ({
      holder: { ...HOLDER, ...holder },
      signal: controller.signal,
      async subjectToken(audience, wish) {
        asked.push({ audience, ...wish })
        return new Secret(subjectJwt())
      },
      credential: () => Promise.reject(new Error('not needed here')),
    }),
  }
}

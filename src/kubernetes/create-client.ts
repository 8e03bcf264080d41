import { Agent, type Dispatcher } from 'undici'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { KubernetesClient, KubernetesRequest } from './client.ts'
import { codedError } from './coded-error.ts'
import type { KubernetesConnection, TlsMaterial } from './connection.ts'
import { MissingRights } from './missing-rights.ts'
import { readBody } from './read-body.ts'
import { readLines } from './read-lines.ts'
import { kubernetesError, statusError } from './status-error.ts'

/** A list page is at most 500 objects of our asking; anything longer is not what was asked for. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
const MAX_ERROR_BYTES = 64 * 1024

/** Values of the metrics' `resource` label. */
const RESOURCES: ReadonlySet<string> = new Set([
  'pods',
  'serviceaccounts',
  'serviceaccounts/token',
  'nodes',
  'events',
  'openid-configuration',
  'jwks',
])

/** What a client is made with. */
export interface ClientOptions {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * A client of one API server, over HTTP/1.1 with connections kept alive. It has no timeouts of its own besides that of
 * opening a connection: every call ends by its signal.
 *
 * A 401 makes the connection renew its credentials, and the call is made once more. So is a call whose connection broke
 * before an answer began, because a kept connection may be closed by the server at the moment it is used; repeating is
 * harmless for all that this daemon creates, and a JSON patch tests what it takes away.
 */
export function createKubernetesClient(
  connection: KubernetesConnection,
  options: ClientOptions,
): KubernetesClient {
  const { clock, log, metrics } = options
  const { origin, pathname } = new URL(connection.server)
  const base = pathname === '/' ? '' : pathname
  const agents = new Set<Agent>()
  const rights = new MissingRights(options)
  let current: { tls: TlsMaterial; agent: Agent } | undefined
  let closed = false

  function agentFor(tls: TlsMaterial): Agent {
    if (current?.tls === tls) return current.agent
    if (current) retire(current.agent)
    const agent = createAgent(tls)
    agents.add(agent)
    current = { tls, agent }
    return agent
  }

  // Watches on the old connections may go on to their end; nothing new is sent there.
  function retire(agent: Agent): void {
    log.info({ server: connection.server }, 'kubernetes tls material changed')
    agent.close().then(
      () => agents.delete(agent),
      () => agents.delete(agent),
    )
  }

  async function sendOnce(request: KubernetesRequest, renew: boolean): Promise<Dispatcher.ResponseData> {
    const { token, tls } = await connection.credentials(renew, request.signal)
    if (closed) throw kubernetesError('KUBERNETES_UNAVAILABLE', request, 'the client is closed')
    const patch = request.verb === 'patch'
    const query = request.query ? `?${new URLSearchParams(request.query)}` : ''
    const response = await agentFor(tls).request({
      origin,
      path: `${base}${request.path}${query}`,
      method: request.body === undefined ? 'GET' : patch ? 'PATCH' : 'POST',
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': 'metadatad',
        ...(request.body === undefined
          ? {}
          : { 'content-type': patch ? 'application/json-patch+json' : 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: request.signal,
    })
    // A body that is destroyed while nobody reads it would end the process with an unhandled 'error' event.
    response.body.on('error', () => {})
    return response
  }

  async function send(request: KubernetesRequest): Promise<Dispatcher.ResponseData> {
    let response: Dispatcher.ResponseData
    try {
      response = await sendOnce(request, false)
    } catch (error) {
      if (closed || request.signal.aborted || !connectionBroke(error)) throw error
      response = await sendOnce(request, false)
    }
    if (response.statusCode === 401) {
      response.body.destroy()
      response = await sendOnce(request, true)
    }
    if (response.statusCode === 200 || response.statusCode === 201) return response
    throw statusError(request, response.statusCode, await errorBody(response), retryAfter(response))
  }

  async function observed<T>(request: KubernetesRequest, work: () => Promise<T>): Promise<T> {
    const startedAt = clock.now()
    const resource = RESOURCES.has(request.resource) ? request.resource : 'other'
    let outcome = 'ok'
    try {
      const answer = await work()
      rights.worked(request)
      return answer
    } catch (thrown) {
      const error = codedError(thrown, request)
      outcome = error.code
      rights.refused(request, error)
      throw error
    } finally {
      metrics.kubernetesRequests.inc({ verb: request.verb, resource, outcome })
      if (request.verb !== 'watch') {
        metrics.kubernetesSeconds.observe({ verb: request.verb, resource }, (clock.now() - startedAt) / 1000)
      }
    }
  }

  return {
    request: (request) =>
      observed(request, async () => {
        const { body } = await send(request)
        const bytes = await readBody(body, MAX_BODY_BYTES)
        if (bytes === undefined) {
          throw kubernetesError(
            'KUBERNETES_INVALID',
            request,
            `the answer is longer than ${MAX_BODY_BYTES} bytes`,
          )
        }
        return parseAnswer(bytes, request)
      }),
    watch: (request) =>
      observed(request, async () => {
        const { body } = await send(request)
        return readLines(body, request)
      }),
    missingRights: () => rights.list(),
    async close() {
      closed = true
      await Promise.all([...agents].map((agent) => agent.destroy()))
      agents.clear()
    },
  }
}

function createAgent(tls: TlsMaterial): Agent {
  return new Agent({
    connections: 32,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    // Shorter than the 90 s after which the API server closes an idle connection.
    keepAliveTimeout: 30_000,
    connect: {
      timeout: 5_000,
      rejectUnauthorized: !tls.insecure,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    },
  })
}

async function errorBody(response: Dispatcher.ResponseData): Promise<unknown> {
  const bytes = await readBody(response.body, MAX_ERROR_BYTES)
  try {
    return JSON.parse(String(bytes ?? ''))
  } catch {
    return undefined
  }
}

function parseAnswer(bytes: Buffer, request: KubernetesRequest): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    // V8's error quotes the text it could not parse, which may hold a token: it is not kept as the cause.
    throw kubernetesError('KUBERNETES_INVALID', request, 'the answer is no JSON', { retryable: true })
  }
}

function retryAfter(response: Dispatcher.ResponseData): number | undefined {
  const header = response.headers['retry-after']
  return typeof header === 'string' && /^\d{1,4}$/.test(header) ? Number(header) : undefined
}

/** The errors of undici and Node for a connection that was open and no longer is. */
function connectionBroke(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

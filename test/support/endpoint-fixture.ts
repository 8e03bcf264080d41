import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Caller, CallerIdentifier, CallerSession } from '../../src/caller/caller.ts'
import type {
  Credential,
  CredentialHolder,
  CredentialSpec,
  Credentials,
} from '../../src/credentials/credentials.ts'
import { disabledAws, disabledAzure } from '../../src/endpoints/disabled-clouds.ts'
import type { GooglePipeline, TokenCredential } from '../../src/endpoints/google/google-pipeline.ts'
import { createGoogleProtocol } from '../../src/endpoints/google/google-protocol.ts'
import { InstanceFacts } from '../../src/endpoints/google/instance-facts.ts'
import { createMetadataServer, type ServerLimits } from '../../src/endpoints/metadata-server.ts'
import type { Passthrough } from '../../src/endpoints/passthrough.ts'
import { canonicalScopes } from '../../src/exchange/google-scopes.ts'
import type { GoogleIdentity } from '../../src/identity/google-identity.ts'
import type { Pod, ServiceAccount } from '../../src/kubernetes/types.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { Deadline } from '../../src/lib/deadline.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'

export const DEFAULT_SCOPES = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
]

/** A caller whose `valid` a test may turn. */
export interface TestCaller extends Caller {
  valid: boolean
  identity: GoogleIdentity | MetadatadError
}

/** What is known of addresses: `set` makes an address a pod's, or nobody's; held requests are woken. */
export class TestIdentifier implements CallerIdentifier {
  readonly #callers = new Map<string, TestCaller>()
  readonly #waiting = new Set<() => void>()

  set(address: string, caller: TestCaller | undefined): void {
    const last = this.#callers.get(address)
    if (last !== undefined) last.valid = false
    if (caller === undefined) this.#callers.delete(address)
    else this.#callers.set(address, caller)
    for (const wake of [...this.#waiting]) wake()
  }

  /** Requests that are held now. */
  get waiting(): number {
    return this.#waiting.size
  }

  open({ remoteAddress }: { remoteAddress: string }): CallerSession {
    const current = () => this.#callers.get(remoteAddress)
    const identify = async (deadline: Deadline) => {
      for (;;) {
        const caller = current()
        if (caller !== undefined) return caller
        if (deadline.signal.aborted)
          throw failure('CALLER_UNKNOWN', true, 'This pod is not known yet. Try again.')
        await new Promise<void>((resolve) => {
          const wake = () => {
            this.#waiting.delete(wake)
            deadline.signal.removeEventListener('abort', wake)
            resolve()
          }
          this.#waiting.add(wake)
          deadline.signal.addEventListener('abort', wake)
        })
      }
    }
    return { current, identify }
  }
}

/** Credentials made by the spec's own `obtain`, kept until their end. */
export class TestCredentials implements Credentials {
  readonly #clock: Clock
  readonly #kept = new Map<string, Credential>()
  /** Awaited before anything is obtained; a test may hold it back or make it throw. */
  gate: (holder: CredentialHolder) => Promise<void> = async () => {}
  /** Keys that were obtained, in order. */
  readonly obtained: string[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  peek<C extends Credential>(spec: CredentialSpec<C>, holder: CredentialHolder): C | undefined {
    const kept = this.#kept.get(`${holder.serviceAccountUid} ${spec.key}`) as C | undefined
    return kept !== undefined && kept.expiresAt > this.#clock.now() ? kept : undefined
  }

  async get<C extends Credential>(spec: CredentialSpec<C>, holder: CredentialHolder): Promise<C> {
    await this.gate(holder)
    const signal = new AbortController().signal
    const unused = () => Promise.reject(new Error('not needed here'))
    this.obtained.push(spec.key)
    const credential = await spec.obtain({ holder, signal, subjectToken: unused, credential: unused })
    this.#kept.set(`${holder.serviceAccountUid} ${spec.key}`, credential)
    return credential
  }

  prefetch(): void {}
  podGone(): void {}
  serviceAccountChanged(): void {}
}

/** Tokens that name the identity, the scopes or audience and the holder they were made for. */
export function testPipeline(clock: Clock): GooglePipeline {
  const spec = (
    key: string,
    token: (holder: CredentialHolder) => string,
  ): CredentialSpec<TokenCredential> => ({
    key,
    kind: 'test',
    identity: 'test',
    shareBy: 'serviceAccount',
    minimumRemainingMs: 0,
    async obtain({ holder }) {
      const secret = new Secret(token(holder))
      return { token: secret, digest: secret.digest, expiresAt: clock.now() + 3_599_900 }
    },
  })
  return {
    defaultScopes: DEFAULT_SCOPES,
    resolve(caller) {
      const { identity } = caller as TestCaller
      if (identity instanceof MetadatadError) throw identity
      return identity
    },
    accessToken({ email }, requested) {
      const scopes = canonicalScopes(requested, DEFAULT_SCOPES)
      return spec(
        `access ${email} ${scopes.join(' ')}`,
        (holder) => `ya29.${email}.${scopes.length}.${holder.uid}`,
      )
    },
    idToken: ({ email }, audience) =>
      spec(`id ${email} ${audience}`, (holder) => `eyJ.${email}.${audience}.${holder.uid}`),
  }
}

/** A pod with its own ServiceAccount and Google service account, all named after `name`. */
export function testCaller(name: string, identity?: Partial<GoogleIdentity> | MetadatadError): TestCaller {
  const pod: Pod = {
    namespace: 'default',
    name,
    uid: `pod-${name}`,
    resourceVersion: '1',
    nodeName: 'node-1',
    serviceAccountName: name,
    hostNetwork: false,
    phase: 'Running',
    ips: [],
    createdAt: 0,
    terminating: false,
    sandboxGone: false,
    runtimeClassName: undefined,
    projectedTokens: [],
    annotations: {},
    labels: {},
  }
  const serviceAccount: ServiceAccount = {
    namespace: 'default',
    name,
    uid: `sa-${name}`,
    resourceVersion: '1',
    annotations: {},
  }
  const email = `${name}@my-project.iam.gserviceaccount.com`
  return {
    pod,
    serviceAccount,
    valid: true,
    identity:
      identity instanceof MetadatadError
        ? identity
        : {
            cloud: 'google',
            serviceAccountEmail: email,
            quotaProject: undefined,
            email,
            member: `principal://pool/subject/${name}`,
            ...identity,
          },
  }
}

/** A coded failure with little else. */
export function failure(
  code: MetadatadError['code'],
  retryable: boolean,
  publicMessage: string,
  retryAfterMs?: number,
): MetadatadError {
  const details = { retryable, fault: 'policy', publicMessage } as const
  return new MetadatadError(code, 'test', retryAfterMs === undefined ? details : { ...details, retryAfterMs })
}

/** One answer, read whole. */
export interface TestAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Source address: which pod asks. */
  readonly from?: string
  /** Leaves out `Metadata-Flavor: Google`. */
  readonly plain?: boolean
  readonly body?: string
  readonly signal?: AbortSignal
}

/**
 * The real server with the Google protocol on a loopback port, in front of a test's own callers and credentials.
 * 127.0.0.1 is the pod `alpha`.
 */
export async function startEndpoints(
  options: {
    clock?: Clock
    limits?: ServerLimits
    log?: Log
    hosts?: readonly string[]
    passthrough?: (clock: Clock) => Passthrough
  } = {},
) {
  const clock = options.clock ?? systemClock
  const log = options.log ?? silentLog
  const metrics = createMetrics()
  const identifier = new TestIdentifier()
  const credentials = new TestCredentials(clock)
  const facts = new InstanceFacts({
    projectId: 'my-project',
    numericProjectId: '123456789012',
    nodeName: 'node-1',
    clusterName: 'prod',
    clusterLocation: 'europe-west1',
    universeDomain: 'googleapis.com',
  })
  facts.update({ uid: 'b2d9', labels: { 'topology.kubernetes.io/zone': 'europe-west1-b' } })
  identifier.set('127.0.0.1', testCaller('alpha'))
  const google = createGoogleProtocol({
    pipeline: testPipeline(clock),
    credentials,
    facts,
    hosts: options.hosts,
    passthrough: options.passthrough?.(clock),
    clock,
    log,
    metrics,
  })
  const server = createMetadataServer({
    identifier,
    protocols: [google, disabledAws(metrics), disabledAzure(metrics)],
    limits: options.limits,
    clock,
    log,
    metrics,
  })
  const { port } = await server.listen('127.0.0.1', 0)

  async function ask(
    path: string,
    { method, headers, from, plain, body, signal }: AskOptions = {},
  ): Promise<TestAnswer> {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method: method ?? 'GET',
      localAddress: from,
      agent: false,
      signal,
      headers: { ...(plain ? {} : { 'Metadata-Flavor': 'Google' }), ...headers } as Record<string, string>,
    })
    request.end(body)
    const [response] = await once(request, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return {
      status: response.statusCode,
      headers: response.headers,
      rawHeaders: response.rawHeaders,
      body: Buffer.concat(chunks).toString(),
    }
  }

  /** Sends bytes as they are and reads until the server ends the connection. */
  async function raw(bytes: string, from?: string): Promise<string> {
    const socket = await dial(from)
    socket.write(bytes, 'latin1')
    return await drain(socket)
  }

  async function dial(from = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from })
    await once(socket, 'connect')
    return socket
  }

  const close = (graceMs?: number) => server.close(graceMs)
  return { ask, raw, dial, port, clock, identifier, credentials, facts, metrics, server, close }
}

/** All that comes until the other end closes, or breaks, the connection. */
export async function drain(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  // Not `once`, which rejects on a reset: that is an end like any other here.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return text
}

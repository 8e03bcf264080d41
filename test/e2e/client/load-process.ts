import { Agent, get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudName, FailedRequest, Load, LoadGroup } from './load.ts'

// A pod that asks for its identity all the time: `load-process.ts JSON`. Says `answered` after the first good answer of every
// worker; ends, and prints what it saw as JSON, when its standard input ends.

const ACCOUNT = '/computeMetadata/v1/instance/service-accounts/default'
const GOOGLE = { 'Metadata-Flavor': 'Google', Host: 'metadata.google.internal' }
const ROLES = '/latest/meta-data/iam/security-credentials/'
const AZURE_TOKEN = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net'

/** Something that is asked for, and what of the answer is compared with the pod's own identity, or shown to the cloud. */
interface Question {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly own?: string
  readonly token?: (body: string) => string
}

const load = JSON.parse(process.argv[2]!) as Load
/** Of each cloud, in turn. */
const QUESTIONS: Readonly<Record<CloudName, readonly Question[]>> = {
  google: [
    { path: `${ACCOUNT}/email`, headers: GOOGLE, own: load.email },
    { path: `${ACCOUNT}/token`, headers: GOOGLE, token: (body) => JSON.parse(body).access_token },
  ],
  aws: [
    { path: ROLES, headers: {}, own: load.roleName },
    { path: `${ROLES}${load.roleName}`, headers: {}, token: (body) => JSON.parse(body).AccessKeyId },
  ],
  azure: [
    { path: AZURE_TOKEN, headers: { Metadata: 'true' }, token: (body) => JSON.parse(body).access_token },
  ],
}
const stopped = new AbortController()
const counts = {
  requests: 0,
  ok: 0,
  refused: 0,
  reset: 0,
  keptReset: 0,
  timeouts: 0,
  heldInVain: 0,
  wrongIdentities: 0,
  slowestMs: 0,
}
const unexpected: Record<string, number> = {}
const failures: FailedRequest[] = []
const tokens = { google: new Set<string>(), aws: new Set<string>(), azure: new Set<string>() }
/**
 * Patience is counted in ticks of a timer: while the machine stands still there are none, and an answer that came in such a time is read
 * before the next one.
 */
const TICK_MS = 100
/** What is told to try again later than this was held in vain: the daemon holds requests for 450 ms (AWS) or 900 ms. */
const HELD_MS = 400
/** Of each worker. Whenever the daemon gets no processor for a second, each may have a request under way that ends so. */
const MAX_HELD_IN_VAIN = 5
let unanswered = load.groups.reduce((sum, group) => sum + group.workers, 0)

/** Keeps idle connections for as long as the other end does, whatever hints it gives: as Go's and Java's pools do. */
class StubbornAgent extends Agent {
  override keepSocketAlive(): boolean {
    return true
  }
}

interface Answer {
  readonly status: number
  readonly body: string
}

function ask(url: string, headers: Question['headers'], agent: Agent | false): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const request = get(url, { agent, headers }, (response: IncomingMessage) => {
    let body = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    response.on('end', () => resolve({ status: response.statusCode!, body }))
    response.on('error', reject)
  })
  let ticks = Math.ceil(load.timeoutMs / TICK_MS)
  const timer = setInterval(() => {
    if (--ticks === 0) request.destroy(new Error('timeout'))
  }, TICK_MS)
  request.on('error', (err: NodeJS.ErrnoException) => {
    reject(request.reusedSocket && err.code === 'ECONNRESET' ? new Error('keptReset') : err)
  })
  request.on('close', () => {
    clearInterval(timer)
    reject(new Error('closed'))
  })
  return promise
}

function failed(err: unknown): void {
  const { code, message } = err as NodeJS.ErrnoException
  if (message === 'timeout') counts.timeouts++
  else if (message === 'keptReset') counts.keptReset++
  else if (code === 'ECONNREFUSED') counts.refused++
  else if (code === 'ECONNRESET' || code === 'EPIPE') counts.reset++
  else surprised(code ?? message)
}

function surprised(what: string): void {
  unexpected[what] = (unexpected[what] ?? 0) + 1
}

/** @returns whether it is the answer that was asked for */
function accept({ status, body }: Answer, cloud: CloudName, { own, token }: Question): boolean {
  if (status !== 200) {
    surprised(`${status} ${body.slice(0, 200).replaceAll(/\s+/g, ' ')}`)
    return false
  }
  if (token !== undefined) tokens[cloud].add(token(body))
  else if (body !== own) {
    counts.wrongIdentities++
    return false
  }
  counts.ok++
  return true
}

async function work(group: LoadGroup): Promise<void> {
  const { cloud = 'google' } = group
  const questions = QUESTIONS[cloud]
  const agent = group.connections === 'new' ? false : new StubbornAgent({ keepAlive: true, maxSockets: 1 })
  let answered = false
  let heldInVain = 0
  /** Like SDKs, asks again where it is told to. */
  async function askUntilTold(question: Question): Promise<Answer> {
    for (;;) {
      const startedAt = performance.now()
      const answer = await ask(`${group.origin}${question.path}`, question.headers, agent)
      const wasHeld = answer.status === 503 && performance.now() - startedAt > HELD_MS
      if (!wasHeld || heldInVain === MAX_HELD_IN_VAIN) return answer
      heldInVain++
      counts.heldInVain++
    }
  }
  for (let turn = 0; !stopped.signal.aborted && counts.requests < load.maxRequests; turn++) {
    counts.requests++
    const question = questions[turn % questions.length]!
    const begunAt = Date.now()
    const startedAt = performance.now()
    try {
      const good = accept(await askUntilTold(question), cloud, question)
      counts.slowestMs = Math.max(counts.slowestMs, Math.round(performance.now() - startedAt))
      if (!good) failures.push({ at: begunAt, until: Date.now(), connections: group.connections })
      else if (!answered) {
        answered = true
        if (--unanswered === 0) process.stdout.write('answered\n')
      }
    } catch (err) {
      failed(err)
      failures.push({ at: begunAt, until: Date.now(), connections: group.connections })
    }
    await sleep(group.pauseMs, undefined, { signal: stopped.signal }).catch(() => {})
  }
  if (agent !== false) agent.destroy()
}

const timer = setTimeout(() => stopped.abort(), load.maxMs)
process.stdin.on('end', () => stopped.abort()).resume()
await Promise.all(load.groups.flatMap((group) => Array.from({ length: group.workers }, () => work(group))))
clearTimeout(timer)
const given = { google: [...tokens.google], aws: [...tokens.aws], azure: [...tokens.azure] }
process.stdout.write(`${JSON.stringify({ ...counts, unexpected, failed: failures, tokens: given })}\n`)
process.exit()

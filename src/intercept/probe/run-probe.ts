import type { Clock } from '../../lib/clock.ts'
import { deadlineIn } from '../../lib/deadline.ts'
import { METADATA_ADDRESSES } from '../../lib/metadata-addresses.ts'
import { parseGreeting, SELF_TEST_PATH, type SelfTestGreeting } from '../../lib/self-test-greeting.ts'
import type { ProbeOutcome } from '../../lib/self-test-report.ts'
import { dialTcp } from './dial-tcp.ts'
import { dialUdp } from './dial-udp.ts'
import { httpExchange } from './http-exchange.ts'
import { refusalCode } from './refusal-code.ts'
import { blockedTargets, type ProbeTarget } from './targets.ts'
import { udpPayload } from './udp-payload.ts'

/** What one round found. */
export interface ProbeRound {
  /** Of the first metadata address that metadatad answered at; undefined if none did. */
  readonly greeting: SelfTestGreeting | undefined
  readonly outcomes: readonly ProbeOutcome[]
}

/** The daemon may hold a request for 0.9 s; a lost SYN is sent again after 1 s. */
const ASK_MS = 3_000
/** A dropped SYN is sent again after 1 s: both are waited for. */
const DIAL_MS = 2_000

/**
 * Tries everything at once: port 80 of the metadata addresses by HTTP, and what should be silent. Takes up to three seconds;
 * what is under way when `signal` is aborted counts as silent.
 */
export async function runProbe(options: {
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<ProbeRound> {
  const { clock, signal } = options
  const blocked = blockedTargets()
  const addresses = [...new Set(blocked.map(({ address }) => address))]
  const routes = await Promise.all(addresses.map((address) => routeTo(address, signal)))
  const unroutable = new Set(routes.filter((it) => it.result === 'unroutable').map(({ address }) => address))

  using asking = deadlineIn(clock, ASK_MS, signal)
  using dialling = deadlineIn(clock, DIAL_MS, signal)
  const asked = METADATA_ADDRESSES.map(async ({ address }) => {
    if (unroutable.has(address)) return { outcome: noRoute({ address, port: 80, protocol: 'tcp' }) }
    return await ask(address, asking.signal)
  })
  const dialled = blocked.map(async (target) => {
    if (unroutable.has(target.address)) return noRoute(target)
    if (target.protocol === 'tcp') return await dialTcp(target, dialling.signal)
    return await dialUdp(target, udpPayload(target.port), dialling.signal)
  })
  const answers = await Promise.all(asked)
  const outcomes = [...answers.map(({ outcome }) => outcome), ...(await Promise.all(dialled))]
  return { greeting: answers.find((it) => it.greeting !== undefined)?.greeting, outcomes }
}

function routeTo(address: string, signal: AbortSignal): Promise<ProbeOutcome> {
  return dialUdp({ address, port: 80, protocol: 'udp' }, undefined, signal)
}

function noRoute({ address, port, protocol }: ProbeTarget): ProbeOutcome {
  return { address, port, protocol, result: 'unroutable' }
}

async function ask(
  address: string,
  signal: AbortSignal,
): Promise<{ outcome: ProbeOutcome; greeting?: SelfTestGreeting | undefined }> {
  const target = { address, port: 80, protocol: 'tcp' } as const
  const { connected, status, server, body, errorCode } = await httpExchange(
    { address, port: 80, path: SELF_TEST_PATH },
    signal,
  )
  const greeting = status === 200 && server === 'metadatad' ? parseGreeting(body) : undefined
  if (greeting !== undefined) {
    return { outcome: { ...target, result: 'self', instance: greeting.instance }, greeting }
  }
  if (status !== undefined) return { outcome: { ...target, result: 'answered', detail: `HTTP ${status}` } }
  if (connected) {
    return { outcome: { ...target, result: 'answered', detail: errorCode ?? 'connected, but no answer' } }
  }
  const code = refusalCode(errorCode)
  return { outcome: { ...target, result: code === undefined ? 'silent' : 'refused', detail: code } }
}

import type { SandboxGoogle } from '../../src/sandbox/sandbox-types.ts'
import { gsa, tokenOf } from '../support/pod-questions.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { answersOf, type UpstreamCalls, upstreamCalls } from '../support/traffic.ts'

/** What the client's token must stand for. */
export const CLIENT_EMAIL = gsa('client')

const CREDENTIAL_CALLS: readonly string[] = ['sts', 'generateAccessToken', 'generateIdToken']

/** A state of the cloud that clients must get along with. */
export interface Condition {
  readonly name: string
  /** Calls for each credential. */
  readonly attempts: number
  arrange(google: SandboxGoogle): void
}

/** Every client is tried under each. */
export const CONDITIONS: readonly Condition[] = [
  { name: 'the cloud answers at once', attempts: 1, arrange() {} },
  {
    name: 'the cloud takes 50 ms for a call',
    attempts: 1,

    arrange(google) {
      google.latencyMs = 50
    },
  },
  {
    name: 'the cloud takes 900 ms for a call',
    attempts: 1,

    arrange(google) {
      google.latencyMs = 900
    },
  },
  {
    name: 'each call of the cloud fails once with 503',
    attempts: 2,

    arrange(google) {
      const failed = new Set<string>()
      google.intercept = (call) => {
        if (failed.has(call) || !CREDENTIAL_CALLS.includes(call)) return undefined
        failed.add(call)
        return { status: 503, body: { error: { code: 503, message: 'Try again.', status: 'UNAVAILABLE' } } }
      }
    },
  },
]

/**
 * The daemon with a pod at 127.0.0.1, which is what programs on this machine are that can't choose their source address.
 * Nothing is prefetched, so that the client's own first request is what is seen; another pod has been served before.
 */
export async function startClientPod(condition: Condition) {
  const metadatad = await startMetadatad({ flags: { 'credentials.prefetch': 'false' } })
  const { sandbox, daemon, host } = metadatad
  metadatad.pod('127.0.0.9', 'earlier', { email: gsa('earlier') })
  await tokenOf(metadatad, '127.0.0.9')
  const podUid = metadatad.pod('127.0.0.1', 'client', { email: CLIENT_EMAIL })
  const before = { calls: upstreamCalls(sandbox), answers: await answersOf(daemon) }
  condition.arrange(sandbox.google)
  return {
    ...metadatad,
    podUid,
    /** Calls for tokens since then. */
    calls: () => difference(upstreamCalls(sandbox), before.calls) as unknown as UpstreamCalls,
    /**
     * Answers since then, by `route status`; those left out that only asked for patience: how many there are depends on
     * how long the cloud, or a busy machine, takes.
     */
    async answers() {
      const answers = difference(await answersOf(daemon), before.answers)
      return Object.fromEntries(Object.entries(answers).filter(([key]) => !key.endsWith(' 503')))
    },
    /** How programs are told where the metadata server is. */
    env: { GCE_METADATA_HOST: host, GCE_METADATA_IP: host, GCE_METADATA_ROOT: host },
  }
}

/** All of them together. */
export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function difference(now: object, before: object): Record<string, number> {
  const earlier = new Map<string, number>(Object.entries(before))
  return Object.fromEntries(
    Object.entries(now as Record<string, number>)
      .map(([key, count]) => [key, count - (earlier.get(key) ?? 0)] as const)
      .filter(([, count]) => count > 0),
  )
}

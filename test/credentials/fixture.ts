import { type CredentialsOptions, createCredentials } from '../../src/credentials/create-credentials.ts'
import type {
  Credential,
  CredentialHolder,
  CredentialSpec,
  ObtainContext,
  SubjectTokenWish,
} from '../../src/exchange/credential-spec.ts'
import { type Deadline, deadlineIn } from '../../src/lib/deadline.ts'
import { type ErrorCode, MetadatadError } from '../../src/lib/errors.ts'
import type { Log, LogFields } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

/** One call of a specification's `obtain`, for the test to answer. */
export interface Call {
  readonly key: string
  readonly context: ObtainContext
  /** Gives out a credential that lives for so many milliseconds. */
  grant(lifeMs?: number): Credential
  fail(error: MetadatadError): void
}

/** A log line as it was written. */
export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: LogFields
  readonly message: string
}

export const HOUR = 3_600_000

/** A cache in front of a cloud that the test plays. */
export function createFixture(options: Partial<CredentialsOptions> = {}) {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const lines: Line[] = []
  const write = (level: Line['level']) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message })
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const calls: Call[] = []
  const tokens: ({ pod: string; audience: string } & SubjectTokenWish)[] = []
  let issued = 0

  const credentials = createCredentials({
    clock,
    log,
    metrics,
    random: () => 0.5,
    subjectToken: async (holder, audience, wish) => {
      tokens.push({ pod: holder.uid, audience, ...wish })
      return new Secret(`token of ${holder.uid}`)
    },
    ...options,
  })

  function issue(lifeMs = HOUR): Credential {
    return { expiresAt: clock.now() + lifeMs, digest: `sha256:${issued++}` }
  }

  function spec(key: string, more: Partial<CredentialSpec> = {}): CredentialSpec {
    return {
      key,
      kind: 'test-token',
      identity: 'robot@project.example',
      shareBy: 'serviceAccount',
      minimumRemainingMs: 360_000,
      obtain: (context) => {
        const { promise, resolve, reject } = Promise.withResolvers<Credential>()
        calls.push({
          key,
          context,
          grant(lifeMs) {
            const credential = issue(lifeMs)
            resolve(credential)
            return credential
          },
          fail: reject,
        })
        return promise
      },
      ...more,
    }
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 100 && !condition(); turn++) await settle()
    if (!condition()) throw new Error('the condition never became true')
  }

  return {
    clock,
    metrics,
    lines,
    calls,
    tokens,
    credentials,
    issue,
    spec,
    deadline: (ms = 900): Deadline => deadlineIn(clock, ms),
    /** The next call that the cache makes, or the oldest not yet taken. */
    async call(): Promise<Call> {
      await until(() => calls.length > 0)
      return calls.shift()!
    },
    async count(result: string): Promise<number> {
      const { values } = await metrics.credentialRequests.get()
      return values.find((value) => value.labels.result === result)?.value ?? 0
    },
  }
}

/** A pod, by default with the ServiceAccount `account`. */
export function pod(uid: string, serviceAccountUid = 'account'): CredentialHolder {
  return { namespace: 'shop', name: `pod-${uid}`, uid, serviceAccountName: 'web', serviceAccountUid }
}

/** A failure of the cloud. */
export function failure(code: ErrorCode, retryable: boolean, retryAfterMs?: number): MetadatadError {
  return new MetadatadError(code, 'played by the test', {
    retryable,
    fault: 'upstream',
    publicMessage: 'Played by the test.',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

/** The code that a promise is rejected with, or what it was resolved with. */
export function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error) => (error instanceof MetadatadError ? error.code : error),
  )
}

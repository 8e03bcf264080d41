import { type ClosableCredentials, createCredentials } from '../../src/credentials/create-credentials.ts'
import type { CredentialLimits } from '../../src/credentials/limits.ts'
import type {
  Credential,
  CredentialHolder,
  CredentialSpec,
  ObtainContext,
} from '../../src/exchange/credential-spec.ts'
import { deadlineIn } from '../../src/lib/deadline.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { sleep } from '../../src/lib/sleep.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import type { Action } from './action.ts'
import { failure } from './fixture.ts'
import { type Issued, subjectOf } from './issued.ts'

export const PODS = 5
export const ACCOUNTS = 2
const MINIMUM_MS = [360_000, 360_000, 60_000, 360_000, 100 * 3_600_000, 360_000]
export const SPECS = MINIMUM_MS.length
const TIGHT = { entriesPerPod: 2, entriesPerNode: 5, flightsPerPod: 1, prefetchConcurrency: 1 }

/**
 * The cache between pods and a cloud, and a model that is much simpler than the cache: it knows what each pod was given,
 * and what the cloud was asked and said.
 */
export class World {
  readonly violations: string[] = []
  readonly clock = new FakeClock()
  readonly metrics = createMetrics()
  readonly credentials: ClosableCredentials
  readonly tight: boolean
  given = 0
  readonly #specs: readonly CredentialSpec[]
  readonly #accounts = Array.from({ length: ACCOUNTS }, (_, index) => `account-${index}`)
  readonly #pods: CredentialHolder[] = []
  readonly #dead = new Set<string>()
  readonly #gone = new Set<string>()
  readonly #eras = new Map<string, number>()
  readonly #calls = new Map<string, Set<AbortSignal>>()
  readonly #quietUntil = new Map<string, number>()
  readonly #refusedAt = new Map<string, number>()
  readonly #latest = new Map<string, Issued>()
  readonly #had = new Map<string, Issued>()
  readonly #sour = new Set<Credential>()
  readonly #pending = new Set<{ until: number }>()
  #cloud = { mood: 'well', latency: 20, life: 3_600_000 }
  #sequence = 0

  constructor(options: { tight: boolean; random: () => number }) {
    this.tight = options.tight
    const limits: Partial<CredentialLimits> = options.tight ? TIGHT : {}
    this.credentials = createCredentials({
      clock: this.clock,
      log: silentLog,
      metrics: this.metrics,
      random: options.random,
      limits,
      subjectToken: async () => new Secret('token'),
    })
    const specs: CredentialSpec[] = []
    for (const [index, minimumRemainingMs] of MINIMUM_MS.entries()) {
      const spec: CredentialSpec = {
        key: `spec ${index}`,
        kind: `kind ${index}`,
        identity: 'robot',
        shareBy: index === 2 || index === 3 ? 'pod' : 'serviceAccount',
        minimumRemainingMs,
        obtain: (context) => this.#obtain(spec, index % 2 === 1 ? specs[0] : undefined, context),
      }
      specs.push(spec)
    }
    this.#specs = specs
    for (let index = 0; index < PODS; index++) this.#pods.push(this.#newPod(index))
  }

  async play(action: Action): Promise<void> {
    switch (action.do) {
      case 'get':
        this.#get(this.#specs[action.spec]!, this.#pods[action.pod]!, action.patience)
        break
      case 'peek':
        this.#peek(this.#specs[action.spec]!, this.#pods[action.pod]!)
        break
      case 'prefetch':
        this.credentials.prefetch(this.#specs[action.spec]!, this.#pods[action.pod]!)
        break
      case 'pass':
        await this.clock.advance(action.ms)
        break
      case 'cloud':
        this.#cloud = action
        break
      case 'sour':
        for (const issued of this.#latest.values())
          if (issued.subject.endsWith('spec 0')) this.#sour.add(issued)
        break
      case 'die':
        this.#dead.add(this.#pods[action.pod]!.uid)
        break
      case 'gone':
        this.#podGone(action.pod)
        break
      case 'changed':
        this.#serviceAccountChanged(this.#accounts[action.account]!)
        break
      case 'replaced':
        this.#replaceAccount(action.account)
        break
    }
    await settle()
    for (const { until } of action.do === 'pass' ? this.#pending : []) {
      this.#expect(until > this.clock.now(), 'a request waits beyond its deadline')
    }
    const most = this.tight ? TIGHT.entriesPerNode : PODS * SPECS
    this.#expect(this.credentials.size <= most, 'there are more entries than allowed')
  }

  /** All pods go away: nothing may be left. */
  async end(): Promise<void> {
    for (let index = 0; index < PODS; index++) this.#podGone(index)
    await settle()
    const held = (await this.metrics.credentials.get()).values[0]?.value ?? 0
    this.#expect(this.credentials.size === 0, 'entries are left without a pod')
    this.#expect(held === 0, 'the gauge counts credentials that are gone')
    for (const signals of this.#calls.values()) {
      for (const signal of signals) this.#expect(signal.aborted, 'a flight is left without a pod')
    }
    await this.clock.advance(60_000)
    this.#expect(this.#pending.size === 0, 'requests are left')
    this.#expect(this.clock.pending === 0, 'timers are left')
  }

  async #obtain(
    spec: CredentialSpec,
    base: CredentialSpec | undefined,
    context: ObtainContext,
  ): Promise<Issued> {
    const { holder, signal } = context
    const subject = subjectOf(spec, holder)
    const now = this.clock.now()
    const calls = this.#calls.get(subject) ?? new Set()
    this.#calls.set(subject, calls)
    for (const other of calls) this.#expect(other.aborted, `two calls at one time: ${subject}`)
    this.#expect(!this.#gone.has(holder.uid), `asked in the name of a pod that is gone: ${subject}`)
    if (!this.tight) {
      this.#expect(now >= (this.#quietUntil.get(subject) ?? 0), `asked again too soon: ${subject}`)
    }
    const era = this.#era(holder)
    const { mood, latency, life } = this.#cloud
    calls.add(signal)
    try {
      if (base) await this.#useBase(base, context)
      if (mood === 'silent') await new Promise(() => {})
      await sleep(this.clock, latency)
      if (this.#dead.has(holder.uid)) throw failure('SUBJECT_TOKEN_POD_GONE', false)
      if (mood === 'failing') throw failure('EXCHANGE_UNAVAILABLE', true)
      if (mood === 'refusing') throw failure('EXCHANGE_REFUSED', false)
      const lifeMs = mood === 'expired' ? 500 : life
      const freshMs = lifeMs - Math.max(1_000, Math.min(spec.minimumRemainingMs, lifeMs / 2))
      const issuedAt = this.clock.now()
      const digest = `${subject} ${this.#sequence++}`
      const issued: Issued = { subject, era, issuedAt, freshMs, digest, expiresAt: issuedAt + lifeMs }
      if (!signal.aborted && mood !== 'expired') this.#latest.set(subject, issued)
      if (!signal.aborted && mood === 'expired') this.#quietUntil.set(subject, issuedAt + 50)
      return issued
    } catch (error) {
      if (!signal.aborted && !this.#gone.has(holder.uid) && error instanceof MetadatadError) {
        if (error.code === 'EXCHANGE_UNAVAILABLE') this.#quietUntil.set(subject, this.clock.now() + 50)
        if (error.code === 'EXCHANGE_REFUSED') {
          this.#quietUntil.set(subject, this.clock.now() + 8_000)
          this.#refusedAt.set(subject, this.clock.now())
        }
      }
      throw error
    } finally {
      calls.delete(signal)
    }
  }

  async #useBase(base: CredentialSpec, context: ObtainContext): Promise<void> {
    const given = await context.credential(base)
    this.#expectOwn(base, context.holder, given as Issued)
    if (!this.#sour.has(given)) return
    const renewed = await context.credential(base, true)
    this.#expectOwn(base, context.holder, renewed as Issued)
    this.#expect(renewed !== given, 'what the cloud no longer takes was given again')
  }

  #get(spec: CredentialSpec, holder: CredentialHolder, patience: number): void {
    const wait = { until: this.clock.now() + patience }
    this.#pending.add(wait)
    const deadline = deadlineIn(this.clock, patience)
    void this.credentials
      .get(spec, holder, deadline)
      .then(
        (credential) => {
          this.#expectOwn(spec, holder, credential as Issued)
          this.#had.set(`${holder.uid} ${spec.key}`, credential as Issued)
          this.given++
        },
        (error) => this.#expectRefusal(spec, holder, error),
      )
      .finally(() => {
        this.#pending.delete(wait)
        deadline[Symbol.dispose]()
      })
  }

  #peek(spec: CredentialSpec, holder: CredentialHolder): void {
    const credential = this.credentials.peek(spec, holder) as Issued | undefined
    const now = this.clock.now()
    if (credential) {
      this.#expectOwn(spec, holder, credential)
      this.#expect(now <= credential.issuedAt + credential.freshMs, 'one that is not fresh was given at once')
      return
    }
    const good = this.#good(spec, holder)
    this.#expect(!good || now > good.issuedAt + good.freshMs, `a fresh one was lost: ${good?.digest}`)
  }

  #expectOwn(spec: CredentialSpec, holder: CredentialHolder, credential: Issued): void {
    const subject = subjectOf(spec, holder)
    this.#expect(credential.subject === subject, `${subject} was given ${credential.subject}`)
    this.#expect(credential.expiresAt > this.clock.now(), `${subject} was given one that has ended`)
    this.#expect(credential.era === this.#era(holder), `${subject} was given one from before a change`)
    this.#expect(!this.#gone.has(holder.uid), `${subject} was given to a pod that is gone`)
  }

  #expectRefusal(spec: CredentialSpec, holder: CredentialHolder, error: unknown): void {
    if (!(error instanceof MetadatadError)) return void this.violations.push(`not an error of ours: ${error}`)
    const { code } = error
    this.#expect(code !== 'INTERNAL', `a defect: ${error.cause}`)
    this.#expect(
      code !== 'SUBJECT_TOKEN_POD_GONE' || this.#dead.has(holder.uid),
      'a pod was told that it is gone',
    )
    this.#expect(code !== 'CREDENTIAL_LIMIT' || this.tight, 'a bound was met')
    const good = this.#good(spec, holder)
    this.#expect(!good, `${code} although ${good?.digest} is good`)
  }

  /** What the pod was given, if nothing but time may take it away again. */
  #good(spec: CredentialSpec, holder: CredentialHolder): Issued | undefined {
    const had = this.#had.get(`${holder.uid} ${spec.key}`)
    if (this.tight || !had || this.#gone.has(holder.uid) || this.#sour.has(had)) return undefined
    const current = had.subject === subjectOf(spec, holder) && had.era === this.#era(holder)
    const refused = (this.#refusedAt.get(had.subject) ?? 0) >= had.issuedAt
    const lasts = had.expiresAt - this.clock.now() >= 1_000
    return current && !refused && lasts && this.#latest.get(had.subject) === had ? had : undefined
  }

  #podGone(index: number): void {
    const { uid, serviceAccountUid } = this.#pods[index]!
    this.#gone.add(uid)
    this.#forgetSilence(serviceAccountUid)
    this.credentials.podGone(uid)
    this.#pods[index] = this.#newPod(index)
  }

  #serviceAccountChanged(uid: string): void {
    this.#eras.set(uid, (this.#eras.get(uid) ?? 0) + 1)
    this.#forgetSilence(uid)
    this.credentials.serviceAccountChanged(uid)
  }

  #replaceAccount(index: number): void {
    this.#serviceAccountChanged(this.#accounts[index]!)
    this.#accounts[index] = `account-${index}-${this.#sequence++}`
    for (const [pod, holder] of this.#pods.entries()) {
      if (pod % ACCOUNTS === index) this.#pods[pod] = { ...holder, serviceAccountUid: this.#accounts[index]! }
    }
  }

  /** An entry may have gone, and with it the memory of what the cloud said. */
  #forgetSilence(serviceAccountUid: string): void {
    for (const subject of this.#quietUntil.keys()) {
      if (subject.startsWith(`${serviceAccountUid}|`)) this.#quietUntil.delete(subject)
    }
  }

  #newPod(index: number): CredentialHolder {
    const uid = `pod-${index}-${this.#sequence++}`
    const serviceAccountUid = this.#accounts[index % ACCOUNTS]!
    return { namespace: 'shop', name: `pod-${index}`, uid, serviceAccountName: 'web', serviceAccountUid }
  }

  #era(holder: CredentialHolder): number {
    return this.#eras.get(holder.serviceAccountUid) ?? 0
  }

  #expect(condition: boolean, violation: string): void {
    if (!condition) this.violations.push(violation)
  }
}

import { setTimeout as pause } from 'node:timers/promises'
import type { Clouds } from '../../../src/sandbox/start-clouds.ts'
import type { ObtainedCredentials } from './obtained-credentials.ts'
import type { RunningPod } from './pod-life.ts'
import type { Tally } from './tally.ts'
import { type Told, whoAmI } from './who-am-i.ts'

/** What a pod's process needs to ask and to be judged. */
export interface AskOptions {
  readonly clouds: Clouds
  readonly obtained: ObtainedCredentials
  readonly random: () => number
  readonly tally: Tally
}

/** Milliseconds before the first question, and between two, at most. */
const FIRST_MS = 20
const BETWEEN_MS = 250

/**
 * Asks who the pod is from its first instruction until its process ends, and holds each answer against what is true: it must be
 * of this very pod's ServiceAccount, a credential made out to one pod must be made out to this one, and what another pod
 * of the ServiceAccount was told before the question was sent is the oldest annotation that may still be answered.
 */
export async function askAsPod(pod: RunningPod, options: AskOptions): Promise<void> {
  const { client } = pod
  const { random, tally } = options
  let answers = 0
  await pause(random() * FIRST_MS)
  for (let asked = 0; !client.ended; asked++) {
    const told = await askOnce(pod, asked === 0, options)
    if (told === undefined) break
    if (told.kind === 'identity') {
      answers++
      pod.answered()
    }
    await pause(random() * BETWEEN_MS)
  }
  if (answers === 0) tally.neverAnswered++
}

/** Undefined if nobody is left to hear the answer. */
async function askOnce(
  pod: RunningPod,
  isFirst: boolean,
  { clouds, obtained, random, tally }: AskOptions,
): Promise<Told | undefined> {
  const { account, client } = pod
  const oldest = account.told
  const moment = obtained.now()
  const { isReported } = pod
  const wish = isFirst || random() < 0.3 ? 'credential' : 'name'
  const told = await whoAmI(client, account, wish, random() < 0.5 ? 'kept' : 'new', clouds).catch(
    (err): Told => ({ kind: 'failed', what: String(err) }),
  )
  if (client.ended) return undefined
  tally.questions++
  switch (told.kind) {
    case 'refused':
      tally.refused++
      if (isFirst && account.kind !== 'none') tally.firstRefused++
      break
    case 'failed':
      tally.failed.push(`${said(pod)} was told ${told.what}`)
      break
    case 'identity':
      tally.answered++
      judge(pod, told, oldest, tally)
      if (isFirst && told.digest !== undefined && told.identity !== account.member) {
        tally.firstAnswered++
        if (obtained.had(told.digest, moment)) tally.firstWarm++
        if (!isReported) tally.firstHeld++
      }
  }
  return told
}

function judge(pod: RunningPod, told: Told & { kind: 'identity' }, oldest: number, tally: Tally): void {
  const { account, object } = pod
  const { identity, podUid } = told
  const generation = account.generations.lastIndexOf(identity === account.member ? undefined : identity)
  if (generation < 0 || (podUid ?? object.uid) !== object.uid)
    tally.wrong.push(`${said(pod)} was told that it is ${identity} (pod ${podUid ?? 'not named'})`)
  else if (generation < oldest)
    tally.failed.push(`${said(pod)} was told ${identity}, which had been replaced (${oldest})`)
  account.told = Math.max(account.told, generation)
}

function said({ object, account, ip }: RunningPod): string {
  return `${object.name} of ${account.name} at ${ip}`
}

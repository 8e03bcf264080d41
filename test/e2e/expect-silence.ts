import assert from 'node:assert/strict'
import type { BedPod } from './bed/pod.ts'
import type { Dial } from './client/dial.ts'
import { dialFrom } from './client/dial-from.ts'

/**
 * Dials from inside the pod: nothing may come back, not even a refusal.
 *
 * @returns how many were dialled
 */
export async function expectSilence(pod: BedPod, dials: readonly Dial[], ms = 1_500): Promise<number> {
  const heard = (await dialFrom(pod, dials, ms)).filter(({ outcome }) => outcome !== 'silent')
  assert.deepEqual(
    heard.map(({ protocol, host, port, outcome, text }) => `${protocol} ${host} ${port}: ${outcome} ${text}`),
    [],
    `${pod.spec.name} got something back`,
  )
  return dials.length
}

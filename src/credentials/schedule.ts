import type { Credential, CredentialSpec } from '../exchange/credential-spec.ts'
import type { Entry, Life } from './entry.ts'

/** A credential with less life than this (ms) is not given to anybody: it would end on the way. */
const LEAST_LIFE_MS = 1_000

/** ECMA-262: the last instant that a Date can hold. */
const LAST_INSTANT = 8.64e15

/**
 * When a credential obtained at `now` stops being fresh and when it is to be renewed: around half of its life, a tenth
 * early or late, so that what was obtained together is not renewed together, and always while it is still fresh.
 *
 * @returns undefined if it has no life left, or an end that is no instant
 */
export function lifeOf(
  spec: CredentialSpec,
  credential: Credential,
  now: number,
  random: () => number,
): Life | undefined {
  const whole = credential.expiresAt - now
  if (!(whole >= LEAST_LIFE_MS) || credential.expiresAt > LAST_INSTANT) return undefined
  // A credential that never lives as long as the specification wants is fresh for half of its life.
  const fresh = whole - Math.max(LEAST_LIFE_MS, Math.min(spec.minimumRemainingMs, whole / 2))
  const middle = Math.min(whole / 2, fresh / 1.1)
  return {
    credential,
    freshUntil: now + fresh,
    // However short-lived what the cloud gives out is, it is not asked without a pause.
    renewAt: now + Math.max(LEAST_LIFE_MS, middle * (0.9 + 0.2 * random())),
  }
}

/** The credential's life if it is long enough to be given out at `now`. */
export function lasting(entry: Entry, now: number): Life | undefined {
  const { life } = entry
  return life !== undefined && life.credential.expiresAt - now >= LEAST_LIFE_MS ? life : undefined
}

/** When the entry is to be obtained again with nobody waiting for it; Infinity if it is not. */
export function dueAt(entry: Entry): number {
  const earliest = entry.failure?.renewAt ?? 0
  if (entry.wantedAt !== undefined) return Math.max(earliest, entry.wantedAt)
  return entry.life && entry.used ? Math.max(earliest, entry.life.renewAt) : Infinity
}

/** When nothing of the entry is worth keeping any more, if nothing happens until then. */
export function endsAt(entry: Entry): number {
  if (entry.wantedAt !== undefined) return Infinity
  return entry.life?.credential.expiresAt ?? entry.refusal?.until ?? entry.failure?.forgetAt ?? 0
}

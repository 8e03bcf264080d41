import { LRUCache } from 'lru-cache'
import type { Credential, CredentialHolder, CredentialSpec } from '../exchange/credential-spec.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { ObtainReason } from './flight.ts'

/** The record of what was obtained for whom. */
export interface Audit {
  /** One line for each credential, with its digest. */
  obtained(spec: CredentialSpec, holder: CredentialHolder, reason: ObtainReason, credential: Credential): void
  /** One line a minute for each pod, kind and code, which says how many were left out. */
  failed(spec: CredentialSpec, holder: CredentialHolder, reason: ObtainReason, error: MetadatadError): void
}

const QUIET_MS = 60_000
const REMEMBERED = 1_024

/** What the record is written with. */
export interface AuditOptions {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Told of every failure. Must not throw. */
  readonly refused?: ((holder: CredentialHolder, error: MetadatadError) => void) | undefined
}

/** Writes the record to the log and counts it. */
export function createAudit(options: AuditOptions): Audit {
  const { clock, log, metrics } = options
  const warned = new LRUCache<string, { readonly at: number; omitted: number }>({ max: REMEMBERED })
  return {
    obtained(spec, holder, reason, credential) {
      metrics.credentialsObtained.inc({ kind: spec.kind, reason, outcome: 'ok' })
      log.info(
        {
          ...subject(spec, holder, reason),
          digest: credential.digest,
          expiresAt: new Date(credential.expiresAt).toISOString(),
        },
        'credential obtained',
      )
    },
    failed(spec, holder, reason, error) {
      metrics.credentialsObtained.inc({ kind: spec.kind, reason, outcome: error.code })
      options.refused?.(holder, error)
      const now = clock.now()
      const key = `${holder.uid} ${spec.kind} ${error.code}`
      const last = warned.get(key)
      if (last && now - last.at < QUIET_MS) {
        last.omitted++
        return
      }
      warned.set(key, { at: now, omitted: 0 })
      log.warn(
        { ...subject(spec, holder, reason), code: error.code, omitted: last?.omitted ?? 0, err: error },
        'credential not obtained',
      )
    },
  }
}

function subject(spec: CredentialSpec, holder: CredentialHolder, reason: ObtainReason) {
  return {
    namespace: holder.namespace,
    pod: holder.name,
    podUid: holder.uid,
    serviceAccount: holder.serviceAccountName,
    kind: spec.kind,
    identity: spec.identity,
    reason,
  }
}

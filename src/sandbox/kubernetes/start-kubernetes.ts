import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { CertificateAuthority } from '../certificate-authority.ts'
import type { SandboxKubernetes } from '../sandbox-types.ts'
import { startService } from '../service.ts'
import { SigningKeys } from '../signing-keys.ts'
import { answerApiCall } from './api-server.ts'
import { callName } from './call-name.ts'
import { KubernetesControls } from './kubernetes-controls.ts'

/** What the fake cluster needs. */
export interface StartKubernetesOptions {
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly log: Log
}

/** A running fake cluster. */
export interface StartedKubernetes {
  readonly kubernetes: SandboxKubernetes
  /** Does this cluster issue tokens as `issuer`, and has it a pod of that UID? */
  podIsAlive(issuer: string, podUid: string): boolean
  close(): Promise<void>
}

/** Starts an empty cluster: an API server on a free port of 127.0.0.1. */
export async function startKubernetes({
  ca,
  clock,
  log,
}: StartKubernetesOptions): Promise<StartedKubernetes> {
  const keys = await SigningKeys.create()
  const controls = new KubernetesControls({ ca, clock, keys })
  const { store, eventLog, users, tokens, watches } = controls
  const issuer = () => controls.issuer
  const parts = { store, events: eventLog, keys, tokens, users, watches, clock, issuer, controls }
  const service = await startService({
    name: 'kubernetes',
    ca,
    clock,
    log,
    controls,
    callName,
    clientCertificates: true,
    handler: (call) => answerApiCall(parts, call),
  })
  controls.attach(service)
  return {
    kubernetes: controls,
    podIsAlive: (tokenIssuer, podUid) =>
      tokenIssuer === controls.issuer && store.pods.byUid(podUid) !== undefined,
    close() {
      watches.drop()
      return service.close()
    },
  }
}

import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { createCertificateAuthority } from './certificate-authority.ts'
import { startGoogle } from './google/start-google.ts'
import { startKubernetes } from './kubernetes/start-kubernetes.ts'
import type { Sandbox, SandboxOptions } from './sandbox-types.ts'

/** Starts an empty cluster and Google's services beside it, all under one new certificate authority. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { clock = systemClock, log = silentLog } = options
  const ca = await createCertificateAuthority()
  const cluster = await startKubernetes({ ca, clock, log })
  const google = await startGoogle({ ca, clock, log, podIsAlive: cluster.podIsAlive })
  return {
    kubernetes: cluster.kubernetes,
    google,
    caPem: ca.pem,
    async close() {
      await Promise.all([cluster.close(), google.close()])
    },
  }
}

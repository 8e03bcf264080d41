import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { createCertificateAuthority } from './certificate-authority.ts'
import { startKubernetes } from './kubernetes/start-kubernetes.ts'
import type { Sandbox, SandboxOptions } from './sandbox-types.ts'
import { startClouds } from './start-clouds.ts'

/** Starts an empty cluster, and three clouds' token services beside it, all under one new certificate authority. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { clock = systemClock, log = silentLog } = options
  const ca = await createCertificateAuthority()
  const cluster = await startKubernetes({ ca, clock, log })
  const { close, ...clouds } = await startClouds({ ca, clock, log, podIsAlive: cluster.podIsAlive })
  return {
    kubernetes: cluster.kubernetes,
    ...clouds,
    caPem: ca.pem,
    async close() {
      await Promise.all([cluster.close(), close()])
    },
  }
}

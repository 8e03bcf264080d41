import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { startAws } from './aws/start-aws.ts'
import { startAzure } from './azure/start-azure.ts'
import { createCertificateAuthority } from './certificate-authority.ts'
import { startGoogle } from './google/start-google.ts'
import { startKubernetes } from './kubernetes/start-kubernetes.ts'
import type { Sandbox, SandboxOptions } from './sandbox-types.ts'

/** Starts an empty cluster, and three clouds' token services beside it, all under one new certificate authority. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { clock = systemClock, log = silentLog } = options
  const ca = await createCertificateAuthority()
  const cluster = await startKubernetes({ ca, clock, log })
  const google = await startGoogle({ ca, clock, log, podIsAlive: cluster.podIsAlive })
  const { aws, close: closeAws } = await startAws({ ca, clock, log })
  const { azure, close: closeAzure } = await startAzure({ ca, clock, log })
  return {
    kubernetes: cluster.kubernetes,
    google,
    aws,
    azure,
    caPem: ca.pem,
    async close() {
      await Promise.all([cluster.close(), google.close(), closeAws(), closeAzure()])
    },
  }
}

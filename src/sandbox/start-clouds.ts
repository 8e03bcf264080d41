import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SandboxAws } from './aws/sandbox-aws.ts'
import { startAws } from './aws/start-aws.ts'
import type { SandboxAzure } from './azure/sandbox-azure.ts'
import { startAzure } from './azure/start-azure.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { startGoogle } from './google/start-google.ts'
import type { SandboxGoogle } from './sandbox-types.ts'

/** How to start them. */
export interface CloudsOptions {
  /** Signs the services' certificates, and those of the token issuers they ask. */
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly log: Log
  /** Whether the cluster of that issuer still has that pod; true unless said. */
  readonly podIsAlive?: (issuer: string, podUid: string) => boolean
  /** The address that the services listen on, and their certificates name; 127.0.0.1 unless said. */
  readonly host?: string
}

/** The token services of three clouds. */
export interface Clouds {
  readonly google: SandboxGoogle
  readonly aws: SandboxAws
  readonly azure: SandboxAzure
  close(): Promise<void>
}

/** Starts three clouds' token services. What cluster they trust is said to each of them. */
export async function startClouds(options: CloudsOptions): Promise<Clouds> {
  const google = await startGoogle({ podIsAlive: () => true, ...options })
  const { aws, close: closeAws } = await startAws(options)
  const { azure, close: closeAzure } = await startAzure(options)
  return {
    google,
    aws,
    azure,
    async close() {
      await Promise.all([google.close(), closeAws(), closeAzure()])
    },
  }
}

import type { Metadatad } from '../../support/start-metadatad.ts'
import { runClient } from '../run-client.ts'
import { type Recorded, startRelay } from '../start-relay.ts'
import type { AzureClient } from './clients.ts'

/** What most programs ask for first: what is prefetched. */
export const RESOURCE_MANAGER = 'https://management.azure.com'

/** What came of it. */
export interface AzureRan {
  /** What it printed, parsed; undefined if it failed. */
  readonly printed:
    | {
        readonly token: string
        readonly again: string
        readonly expiresOn: number
        readonly elapsedMs: number
      }
    | undefined
  /** What it said when it failed. */
  readonly error: string
  readonly requests: readonly Recorded[]
  readonly elapsedMs: number
}

/** Runs the client in the pod at `ip`, unchanged and told by a documented variable where to ask. */
export async function runAzureClient(
  { host }: Metadatad,
  { program, args }: AzureClient,
  { ip, clientId, resource = RESOURCE_MANAGER }: { ip: string; clientId: string; resource?: string },
): Promise<AzureRan> {
  await using relay = await startRelay(host, () => ip)
  const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://${relay.host}` }
  const startedAt = performance.now()
  const { printed, error } = await runClient(program, args(resource, clientId), env).then(
    (text) => ({ printed: JSON.parse(text), error: '' }),
    (thrown: Error) => ({ printed: undefined, error: thrown.message }),
  )
  return { printed, error, requests: relay.requests, elapsedMs: Math.round(performance.now() - startedAt) }
}

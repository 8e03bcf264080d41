import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask } from '../../support/ask.ts'
import type { Metadatad } from '../../support/start-metadatad.ts'
import { patiently } from '../cloud-questions.ts'
import { runClient } from '../run-client.ts'
import { type Recorded, startRelay } from '../start-relay.ts'
import type { AwsClient } from './clients.ts'

/** What EKS's agent is asked with. */
export const EKS_AUDIENCE = 'pods.eks.amazonaws.com'

/** How a client is run. */
export interface AwsRun {
  /** The pod that it runs in. */
  readonly ip: string
  /** The token in the file that it is told of; without, it is told of the instance metadata service. */
  readonly jwt?: string | undefined
  /** Who a request comes from; the pod unless said otherwise. */
  readonly from?: (line: string) => string | undefined
}

/** What came of it. */
export interface AwsRan {
  /** What it printed, parsed; undefined if it failed. */
  readonly printed: Readonly<Record<string, unknown>> | undefined
  /** What it said when it failed. */
  readonly error: string
  readonly requests: readonly Recorded[]
  readonly elapsedMs: number
}

/** Whoever presents the first token waits for the cluster's keys, and may be told to come again; not so those after this. */
export async function keysFetched({ containerHost }: Metadatad, ip: string, jwt: string): Promise<void> {
  await patiently(() => ask(containerHost, '/v1/credentials', { ip, headers: { Authorization: jwt } }))
}

/** Runs the client in a pod, unchanged and told by documented variables where to ask. */
export async function runAwsClient(
  { sandbox, host, containerHost }: Metadatad,
  { program, args }: AwsClient,
  { ip, jwt, from = () => ip }: AwsRun,
): Promise<AwsRan> {
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-aws-'))
  await using relay = await startRelay(jwt === undefined ? host : containerHost, from)
  try {
    const file = (name: string) => join(directory, name)
    await writeFile(file('ca.pem'), sandbox.caPem)
    await writeFile(file('token'), jwt ?? '')
    const env = {
      AWS_CA_BUNDLE: file('ca.pem'),
      NODE_EXTRA_CA_CERTS: file('ca.pem'),
      AWS_CONFIG_FILE: file('none'),
      AWS_SHARED_CREDENTIALS_FILE: file('none'),
      ...(jwt === undefined
        ? { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${relay.host}/` }
        : {
            AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${relay.host}/v1/credentials`,
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file('token'),
          }),
    }
    const startedAt = performance.now()
    const { printed, error } = await runClient(program, args(sandbox.aws.stsUrl), env).then(
      (text) => ({ printed: JSON.parse(text), error: '' }),
      (thrown: Error) => ({ printed: undefined, error: thrown.message }),
    )
    return { printed, error, requests: relay.requests, elapsedMs: Math.round(performance.now() - startedAt) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

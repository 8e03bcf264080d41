import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BED } from '../bed/addresses.ts'
import type { BedPod } from '../bed/pod.ts'
import { asInContainer } from '../client/as-in-container.ts'
import { relayFrom } from '../client/relay-from.ts'
import type { SdkClient } from '../client/sdk-clients.ts'
import { CONTAINER_CREDENTIALS, containerToken } from '../container-credentials.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

/** What clients are given. */
interface Given {
  /** With the token that EKS would mount. */
  readonly tokenFile: string
  /** Where AWS STS is. */
  readonly sts: string
}

interface Outcome {
  readonly client: string
  readonly pod: string
  readonly what: 'own' | 'wrong' | { readonly failed: string } | { readonly skipped: string }
}

/** The clouds' own programs in a pod, with nothing set that tells them where the metadata server is but what EKS sets. */
export const unchangedClients: Scenario = {
  name: 'unchanged-clients',
  async run(world) {
    const daemon = await world.startDaemon(...CONTAINER_CREDENTIALS)
    await daemon.ready()
    const hosts = join(world.place.directory, 'hosts')
    await writeFile(hosts, '127.0.0.1 localhost\n169.254.169.254 metadata.google.internal\n')
    await using sts = await relayFrom(BED.node.ipv4, world.sandbox.aws.stsUrl)
    const outcomes = (
      await Promise.all([world.pods[0], world.pods[2]].map((pod) => runAll(world, pod, hosts, sts.url)))
    ).flat()
    const clients = (what: 'own' | 'wrong') => outcomes.filter((outcome) => outcome.what === what)
    const names = (of: readonly Outcome[]) => [...new Set(of.map(({ client }) => client))].join(', ')
    const failed = outcomes.filter(({ what }) => typeof what === 'object' && 'failed' in what)
    const skipped = outcomes.filter(({ what }) => typeof what === 'object' && 'skipped' in what)
    assert.ok(clients('own').length > 0)
    return {
      requests: outcomes.length - skipped.length,
      failures: failed.length,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: clients('wrong').length,
      note: [
        `in a routed and a bridged pod, each its own: ${names(clients('own'))}`,
        ...[...failed, ...skipped].map(
          ({ client, pod, what }) => `${client} in ${pod}: ${JSON.stringify(what)}`,
        ),
      ].join('; '),
    }
  },
}

async function runAll(world: World, pod: BedPod, hosts: string, sts: string): Promise<Outcome[]> {
  const tokenFile = join(world.place.directory, `${pod.spec.name}.jwt`)
  await writeFile(tokenFile, await containerToken(world, pod))
  // Finding out which of them are here takes seconds, that no other scenario has to spend.
  const { CLIENTS } = await import('../client/sdk-clients.ts')
  const outcomes: Outcome[] = []
  for (const client of CLIENTS) {
    const what = await runOne(world, pod, hosts, { tokenFile, sts }, client)
    outcomes.push({ client: client.name, pod: pod.spec.name, what })
  }
  return outcomes
}

async function runOne(
  world: World,
  pod: BedPod,
  hosts: string,
  { tokenFile, sts }: Given,
  client: SdkClient,
): Promise<Outcome['what']> {
  if (client.missing !== undefined) return { skipped: client.missing }
  const variables = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
  }
  const env = { ...client.env, ...(client.containerCredentials === true ? variables : {}) }
  const { program } = client
  const args = client.args(sts)
  const ran = await asInContainer(pod, world.place.directory, hosts, { program, args, env })
  const identity = ran.status === 0 ? client.identity(ran.stdout, world.sandbox) : undefined
  if (identity === undefined) return { failed: ran.stderr.trim().slice(-500) }
  return identity === pod.spec[client.is] ? 'own' : 'wrong'
}

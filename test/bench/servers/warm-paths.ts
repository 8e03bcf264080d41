import { ask } from '../../support/ask.ts'
import type { LoadClient } from '../load/load.ts'
import type { World } from '../world/start-world.ts'
import { podAddress } from '../world/world.ts'

/** A way of asking for a credential. */
export interface WarmPath {
  readonly name: string
  /** Where it is answered. */
  readonly at: 'metadata' | 'container credentials'
  /** As many pods, each with what it asks for. */
  readonly from: readonly LoadClient[]
  /** What part of the yardstick's answers per CPU second there should be; undefined for no goal. */
  readonly goal: number | undefined
}

const PODS = 8
const GOOGLE = '/computeMetadata/v1/instance/service-accounts/default/token'
const SCOPED = `${GOOGLE}?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_only`
const ROLES = '/latest/meta-data/iam/security-credentials/'
const AZURE =
  '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F'

/** Every cloud's; the first is what servers that do nothing but answer are asked too. */
export async function warmPaths(world: World, port: number): Promise<WarmPath[]> {
  const pods = Array.from({ length: PODS }, (_, i) => i)
  const clients = (target: string, headers: LoadClient['headers']) =>
    pods.map((pod) => ({ address: podAddress(pod), target, headers }))
  const aws = await Promise.all(pods.map((pod) => roleClient(port, pod)))
  const containers: LoadClient[] = []
  for (const pod of pods) {
    const headers = { Authorization: await world.containerToken(pod) }
    containers.push({ address: podAddress(pod), target: '/v1/credentials', headers })
  }
  const flavor = { 'Metadata-Flavor': 'Google' }
  return [
    { name: 'metadatad', at: 'metadata', from: clients(GOOGLE, flavor), goal: 0.8 },
    { name: 'metadatad, scopes=', at: 'metadata', from: clients(SCOPED, flavor), goal: 0.8 },
    { name: 'metadatad, AWS by IMDSv2', at: 'metadata', from: aws, goal: undefined },
    { name: 'metadatad, Azure', at: 'metadata', from: clients(AZURE, { Metadata: 'true' }), goal: undefined },
    {
      name: 'metadatad, AWS container credentials',
      at: 'container credentials',
      from: containers,
      goal: undefined,
    },
  ]
}

/** With a session token, and the role that the pod's ServiceAccount is annotated with. */
async function roleClient(port: number, pod: number): Promise<LoadClient> {
  const address = podAddress(pod)
  const { status, body } = await ask(`127.0.0.1:${port}`, '/latest/api/token', {
    ip: address,
    method: 'PUT',
    headers: { 'X-aws-ec2-metadata-token-ttl-seconds': '21600' },
  })
  if (status !== 200) throw new Error(`no session token: ${status} ${body}`)
  return { address, target: `${ROLES}account-${pod}`, headers: { 'X-aws-ec2-metadata-token': body } }
}

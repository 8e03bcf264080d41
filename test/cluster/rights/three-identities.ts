import { grantSandboxApplication, grantSandboxRole } from '../../../src/sandbox/sandbox-config.ts'
import type { World } from '../world.ts'

/** Annotations that name an identity in each cloud. */
export interface ThreeIdentities {
  readonly email: string
  readonly arn: string
  readonly clientId: string
}

/** Makes a ServiceAccount that may be, and is annotated with, an identity of its own in each cloud. */
export async function threeIdentities(
  world: World,
  name: string,
  clientId: string,
): Promise<ThreeIdentities> {
  const { plane, clouds, namespace } = world
  const email = await world.googleServiceAccount(name)
  const trusting = { ...clouds, kubernetes: { issuer: plane.url } }
  const arn = grantSandboxRole(trusting, `${namespace}-${name}`, namespace, name)
  grantSandboxApplication(trusting, clientId, namespace, name)
  await world.applyServiceAccount(name, {
    'iam.gke.io/gcp-service-account': email,
    'eks.amazonaws.com/role-arn': arn,
    'azure.workload.identity/client-id': clientId,
  })
  return { email, arn, clientId }
}

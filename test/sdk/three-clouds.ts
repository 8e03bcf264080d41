import { createHash } from 'node:crypto'
import { SANDBOX_NODE } from '../../src/sandbox/names.ts'
import { grantSandboxApplication, grantSandboxRole, sandboxMember } from '../../src/sandbox/sandbox-config.ts'
import type { SandboxPod } from '../../src/sandbox/sandbox-types.ts'
import { eventually } from '../support/eventually.ts'
import { gsa } from '../support/pod-questions.ts'
import type { Metadatad } from '../support/start-metadatad.ts'
import { obtained } from '../support/traffic.ts'

/** A pod with an identity in each cloud. */
export interface CloudPod {
  readonly name: string
  readonly ip: string
  readonly uid: string
  readonly email: string
  readonly roleArn: string
  readonly clientId: string
}

/** An application's ID of its own for every name. */
export function clientIdOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The annotations that name the three identities. */
export function cloudAnnotations(identities: {
  email: string
  roleArn: string
  clientId: string
}): Record<string, string> {
  return {
    'iam.gke.io/gcp-service-account': identities.email,
    'eks.amazonaws.com/role-arn': identities.roleArn,
    'azure.workload.identity/client-id': identities.clientId,
  }
}

/** Creates a running pod `ns/NAME` whose ServiceAccount `sa-NAME` may be one identity in each cloud, and is annotated with them. */
export function addCloudPod(
  { sandbox }: Metadatad,
  ip: string,
  name: string,
  change: Partial<SandboxPod> = {},
): CloudPod {
  const serviceAccountName = `sa-${name}`
  const roleArn = grantSandboxRole(sandbox, `role-${name}`, 'ns', serviceAccountName)
  const identities = { email: gsa(name), roleArn, clientId: clientIdOf(name) }
  grantSandboxApplication(sandbox, identities.clientId, 'ns', serviceAccountName)
  sandbox.google.grant(identities.email, sandboxMember('ns', serviceAccountName))
  sandbox.kubernetes.applyServiceAccount('ns', serviceAccountName, cloudAnnotations(identities))
  const uid = sandbox.kubernetes.createPod({
    namespace: 'ns',
    name,
    serviceAccountName,
    nodeName: SANDBOX_NODE,
    ips: [ip],
    ...change,
  })
  return { name, ip, uid, ...identities }
}

/** Until the pod's credentials in all clouds have been obtained. */
export async function prefetched({ logged }: Metadatad, { name }: CloudPod): Promise<void> {
  for (const kind of ['google-access-token', 'aws-role-session', 'azure-access-token']) {
    await eventually(
      async () => obtained(logged, { pod: name, kind }),
      (lines) => lines.length > 0,
    )
  }
}

/** How often the daemon called for AWS sessions and Azure tokens, and for what it gets them with. */
export function cloudCalls({ kubernetes, aws, azure }: Metadatad['sandbox']) {
  return {
    tokenRequest: kubernetes.calls.get('create serviceaccounts/token') ?? 0,
    assumeRole: aws.calls.get('assumeRoleWithWebIdentity') ?? 0,
    entra: azure.calls.get('token') ?? 0,
  }
}

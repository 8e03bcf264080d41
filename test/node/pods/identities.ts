import { grantSandboxRole, sandboxMember } from '../../../src/sandbox/sandbox-config.ts'
import type { World } from '../world.ts'

/** A ServiceAccount of namespace `default`, and whom its pods are in the clouds. */
export interface Identity {
  readonly serviceAccount: string
  readonly email: string
  /** Undefined for one without a role. */
  readonly roleArn: string | undefined
}

const SERVICE_ACCOUNTS = [
  { serviceAccount: 'reader', hasRole: false },
  { serviceAccount: 'writer', hasRole: true },
]

/** Makes two ServiceAccounts with a Google service account each; the second has an AWS role too. */
export async function createIdentities({ plane, clouds }: World): Promise<readonly Identity[]> {
  const issuer = plane.url
  return await Promise.all(
    SERVICE_ACCOUNTS.map(async ({ serviceAccount, hasRole }) => {
      const email = `${serviceAccount}@demo-project.iam.gserviceaccount.com`
      clouds.google.grant(email, sandboxMember('default', serviceAccount))
      const trusting = { aws: clouds.aws, kubernetes: { issuer } }
      const roleArn = hasRole
        ? grantSandboxRole(trusting, serviceAccount, 'default', serviceAccount)
        : undefined
      await plane.admin.apply({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: {
          name: serviceAccount,
          namespace: 'default',
          annotations: {
            'iam.gke.io/gcp-service-account': email,
            ...(roleArn === undefined ? {} : { 'eks.amazonaws.com/role-arn': roleArn }),
          },
        },
      })
      return { serviceAccount, email, roleArn }
    }),
  )
}

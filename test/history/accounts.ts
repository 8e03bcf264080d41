import { SANDBOX_PROJECT } from '../../src/sandbox/names.ts'
import { grantSandboxApplication, grantSandboxRole, sandboxMember } from '../../src/sandbox/sandbox-config.ts'
import type { Sandbox } from '../../src/sandbox/sandbox-types.ts'

/** The namespace of all generated pods. */
export const NAMESPACE = 'history'

/** The n-th ServiceAccount, which is the name of its role too. */
export function accountName(n: number): string {
  return `sa-${n}`
}

/** The ServiceAccount behind a Google e-mail; undefined for anything else. */
export function accountOfEmail(email: string | undefined): string | undefined {
  return email?.endsWith(emailOf('')) ? email.slice(0, -emailOf('').length) : undefined
}

/** The ServiceAccount behind a role's ARN. */
export function accountOfRole(arn: string | undefined): string | undefined {
  return arn?.slice(arn.lastIndexOf('/') + 1)
}

/** The ServiceAccount behind an application. */
export function accountOfClient(clientId: string | undefined): string | undefined {
  return clientId === undefined
    ? undefined
    : accountName(Number(clientId.slice(clientId.lastIndexOf('-') + 1)))
}

/** Makes the ServiceAccounts `sa-0`, `sa-1`, …, each with an identity of its own in every cloud. */
export function applyAccounts(sandbox: Sandbox, count: number): void {
  for (let n = 0; n < count; n++) {
    const name = accountName(n)
    const clientId = clientIdOf(n)
    sandbox.kubernetes.applyServiceAccount(NAMESPACE, name, {
      'iam.gke.io/gcp-service-account': emailOf(name),
      'eks.amazonaws.com/role-arn': grantSandboxRole(sandbox, name, NAMESPACE, name),
      'azure.workload.identity/client-id': clientId,
    })
    sandbox.google.grant(emailOf(name), sandboxMember(NAMESPACE, name))
    grantSandboxApplication(sandbox, clientId, NAMESPACE, name)
  }
}

function emailOf(account: string): string {
  return `${account}@${SANDBOX_PROJECT}.iam.gserviceaccount.com`
}

function clientIdOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
}

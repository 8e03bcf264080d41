import { CloudControls } from '../cloud-controls.ts'
import type { Issued } from '../issued.ts'
import type { Iam } from './iam.ts'
import type { AwsSessionInfo, OidcProvider, RoleTrust, SandboxAws } from './sandbox-aws.ts'
import type { StsErrorCode } from './sts-error.ts'

/** The handles by which a scenario works the sandbox's AWS. */
export class AwsControls extends CloudControls<StsErrorCode> implements SandboxAws {
  readonly #iam: Iam
  readonly #sessions: Issued<AwsSessionInfo>

  constructor(parts: { readonly iam: Iam; readonly sessions: Issued<AwsSessionInfo> }) {
    super()
    this.#iam = parts.iam
    this.#sessions = parts.sessions
  }

  get stsUrl(): string {
    return this.attached.url
  }

  addOidcProvider(provider: OidcProvider): void {
    this.#iam.addOidcProvider(provider)
  }

  addRole(arn: string, role: { trust: readonly RoleTrust[]; maxSessionSeconds?: number }): void {
    this.#iam.addRole(arn, role)
  }

  removeRole(arn: string): void {
    this.#iam.removeRole(arn)
  }

  inspect(accessKeyId: string): AwsSessionInfo | undefined {
    return this.#sessions.find(accessKeyId)
  }
}

import { CloudControls } from '../cloud-controls.ts'
import type { Issued } from '../issued.ts'
import type { Directory } from './directory.ts'
import type { EntraErrorCode } from './entra-error.ts'
import type { AzureTokenInfo, EntraApplication, SandboxAzure } from './sandbox-azure.ts'

/** The handles by which a scenario works the sandbox's Azure. */
export class AzureControls extends CloudControls<EntraErrorCode> implements SandboxAzure {
  tokenLifetimeSeconds = 3599
  readonly #directory: Directory
  readonly #tokens: Issued<AzureTokenInfo>

  constructor(parts: { readonly directory: Directory; readonly tokens: Issued<AzureTokenInfo> }) {
    super()
    this.#directory = parts.directory
    this.#tokens = parts.tokens
  }

  get authorityUrl(): string {
    return this.attached.url
  }

  addApplication(application: EntraApplication): void {
    this.#directory.addApplication(application)
  }

  removeApplication(tenantId: string, clientId: string): void {
    this.#directory.removeApplication(tenantId, clientId)
  }

  addResource(resource: string): void {
    this.#directory.addResource(resource)
  }

  inspect(accessToken: string): AzureTokenInfo | undefined {
    return this.#tokens.find(accessToken)
  }
}

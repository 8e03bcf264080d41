import type * as v from 'valibot'
import type { azureSchema } from './azure-schema.ts'
import type { AzureConfig } from './config.ts'

/** From what the schema lets through to what the daemon uses. */
export function distillAzure(raw: v.InferOutput<typeof azureSchema>): AzureConfig {
  return {
    ...raw,
    audience: raw.audience,
    identities: raw.identities.map(({ clientId, objectId, resourceId, principalId }) => ({
      clientId,
      objectId,
      resourceId,
      principalId,
    })),
    endpoints: { authority: undefined, ...raw.endpoints },
    passthrough: [...new Set(raw.passthrough)],
  }
}

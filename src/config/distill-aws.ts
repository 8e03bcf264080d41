import type * as v from 'valibot'
import type { awsSchema } from './aws-schema.ts'
import type { AwsConfig } from './config.ts'

/** From what the schema lets through to what the daemon uses. */
export function distillAws(raw: v.InferOutput<typeof awsSchema>): AwsConfig {
  const { sessionDuration, ...kept } = raw
  return {
    ...kept,
    roleArnPrefix: raw.roleArnPrefix,
    sessionSeconds: Math.floor(sessionDuration / 1_000),
    endpoints: { sts: undefined, ...raw.endpoints },
    passthrough: [...new Set(raw.passthrough)],
  }
}

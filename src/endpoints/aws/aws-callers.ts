import type { CredentialHolder, CredentialSpec } from '../../credentials/credentials.ts'
import type { AwsIdentity } from '../../identity/aws-identity.ts'
import { CallerMemo } from '../caller-memo.ts'
import type { AwsPipeline, RoleSession } from './aws-pipeline.ts'

/** What was worked out for a pod with its ServiceAccount as they are now. */
export interface AwsCaller {
  readonly identity: AwsIdentity
  readonly holder: CredentialHolder
  readonly spec: CredentialSpec<RoleSession>
}

/** Every caller's role, by {@link CallerMemo}: `of` throws MetadatadError `IDENTITY_*`. */
export function createAwsCallers(pipeline: AwsPipeline): CallerMemo<AwsCaller> {
  return new CallerMemo((caller, holder) => {
    const identity = pipeline.resolve(caller)
    return { identity, holder, spec: pipeline.roleSession(caller, identity) }
  })
}

import { createHash } from 'node:crypto'
import type { Caller } from '../../caller/caller.ts'
import type { AwsIdentity } from '../../identity/aws-identity.ts'
import { isoSeconds } from '../iso-seconds.ts'
import type { AwsFactValues, RoleSession } from './aws-pipeline.ts'

/**
 * A role session as `iam/security-credentials/ROLE` gives it, and with the account as `iam/security-credentials-extended/ROLE`
 * does. Go refuses it without `Code`.
 */
export function credentialsDocument(session: RoleSession, extended: boolean): string {
  return json({
    Code: 'Success',
    LastUpdated: isoSeconds(session.obtainedAt),
    Type: 'AWS-HMAC',
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey.reveal(),
    Token: session.sessionToken.reveal(),
    Expiration: isoSeconds(session.expiresAt),
    ...(extended ? { AccountId: session.accountId } : {}),
  })
}

/** `iam/info`: an instance profile of the role's name, as the console makes one along with every role for EC2. */
export function profileDocument(identity: AwsIdentity, pod: Caller['pod']): string {
  const arn = `arn:${identity.partition}:iam::${identity.accountId}:instance-profile/${identity.roleName}`
  const hash = createHash('sha256').update(arn).digest('hex').toUpperCase()
  return json({
    Code: 'Success',
    LastUpdated: isoSeconds(pod.createdAt),
    InstanceProfileArn: arn,
    InstanceProfileId: `AIPA${hash.slice(0, 17)}`,
  })
}

/**
 * `dynamic/instance-identity/document`, which most ask for its region. It is not signed, and so proves nothing.
 *
 * @param accountId of the pod's role; undefined if it has none
 */
export function identityDocument(facts: AwsFactValues, accountId: string | undefined): string {
  return json({
    accountId: accountId ?? null,
    architecture: facts.architecture ?? null,
    availabilityZone: facts.availabilityZone ?? null,
    billingProducts: null,
    devpayProductCodes: null,
    marketplaceProductCodes: null,
    imageId: null,
    instanceId: facts.instanceId ?? null,
    instanceType: facts.instanceType ?? null,
    kernelId: null,
    pendingTime: facts.pendingAt === undefined ? null : isoSeconds(facts.pendingAt),
    privateIp: facts.localIpv4 ?? null,
    ramdiskId: null,
    region: facts.region,
    version: '2017-09-30',
  })
}

function json(value: object): string {
  return JSON.stringify(value, null, 2)
}

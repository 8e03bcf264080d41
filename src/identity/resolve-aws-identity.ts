import type { ServiceAccount } from '../kubernetes/types.ts'
import type { AwsIdentity } from './aws-identity.ts'
import { awsPartition } from './aws-partition.ts'
import { checkNamespace } from './check-namespace.ts'
import { identityError } from './identity-error.ts'
import { invalidAnnotation } from './invalid-annotation.ts'
import { parseSeconds } from './parse-seconds.ts'
import { printable } from './printable.ts'
import { refusedByRule } from './refused-by-rule.ts'
import { parseRoleArn } from './role-arn.ts'
import type { IdentityRules } from './rules.ts'

const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn'
const AUDIENCE_ANNOTATION = 'eks.amazonaws.com/audience'
const EXPIRATION_ANNOTATION = 'eks.amazonaws.com/token-expiration'
const REGIONAL_ANNOTATION = 'eks.amazonaws.com/sts-regional-endpoints'
const POD_ROLE_ANNOTATION = 'iam.amazonaws.com/role'

/** A client ID of an IAM OIDC provider; it also becomes the audience of a TokenRequest. */
const AUDIENCE = /^[\x21-\x7e]{1,255}$/
/** What EKS's webhook rounds up to, and more than one exchange can have a use for. */
const TOKEN_SECONDS = { min: 600, max: 86_400 }

/** What the operator decided about AWS identities (`aws` of the configuration). */
export interface AwsIdentityOptions {
  /** Its partition is the one that roles must be of. */
  readonly region: string
  /** The audience of who is not annotated with another. */
  readonly audience: string
  /** Honour the pod annotation `iam.amazonaws.com/role` where the ServiceAccount names no role. */
  readonly podRoleAnnotation: boolean
  /** What a bare role name in that annotation is appended to: `arn:aws:iam::123456789012:role/`. */
  readonly roleArnPrefix?: string | undefined
}

/** Finds which role a pod has. Costs no I/O; meant to be asked again whenever a fact may have changed. */
export interface AwsIdentityResolver {
  /**
   * @param pod the calling pod; its namespace must be the ServiceAccount's
   * @param serviceAccount the pod's ServiceAccount with its annotations as of now
   * @throws MetadatadError `IDENTITY_NONE`, `IDENTITY_INVALID` (an annotation that can't be meant), `IDENTITY_REFUSED`
   */
  resolve(
    pod: { readonly namespace: string; readonly annotations: Readonly<Record<string, string>> },
    serviceAccount: ServiceAccount,
  ): AwsIdentity
}

/**
 * Resolves the annotations that EKS's webhook knows (https://github.com/aws/amazon-eks-pod-identity-webhook) and, where
 * the operator says so, the one of kube2iam and kiam; then asks the operator's rules, to which the identity is the role's ARN.
 */
export function createAwsIdentityResolver(
  options: AwsIdentityOptions,
  rules: IdentityRules,
): AwsIdentityResolver {
  const { region, podRoleAnnotation, roleArnPrefix } = options
  const partition = awsPartition(region).name

  return {
    resolve(pod, serviceAccount) {
      const { namespace, name, annotations } = serviceAccount
      checkNamespace(pod, serviceAccount)
      const annotated = annotations[ROLE_ANNOTATION]
      const ofPod = podRoleAnnotation ? pod.annotations[POD_ROLE_ANNOTATION] : undefined
      if (annotated === undefined && ofPod === undefined) {
        throw identityError(
          'IDENTITY_NONE',
          'service account has no aws identity',
          `ServiceAccount ${namespace}/${name} has no AWS identity. Annotate it with ${ROLE_ANNOTATION}: arn:${partition}:iam::ACCOUNT:role/NAME.`,
        )
      }
      const roleArn = annotated ?? fullArn(ofPod!)
      const role = parseRoleArn(roleArn)
      if (role === undefined) {
        throw annotated === undefined
          ? invalidPodRole(ofPod!)
          : invalidAnnotation(ROLE_ANNOTATION, annotated, ARN_WANTED)
      }
      if (role.partition !== partition) {
        throw identityError(
          'IDENTITY_INVALID',
          'role is of another partition',
          `The role ${roleArn} is of the partition ${role.partition}, but the metadata daemon asks AWS STS in ${region}, which is of the partition ${partition}. Name a role of that partition, or set aws.region to a region of ${role.partition}.`,
        )
      }
      const settings = settingsOf(annotations)
      if (!rules({ namespace, serviceAccount: name, identities: [roleArn] })) {
        throw refusedByRule('aws', `${namespace}/${name}`, `AWS role ${roleArn}`)
      }
      return { cloud: 'aws', roleArn, ...role, ...settings }
    },
  }

  function fullArn(value: string): string {
    // kiam's users write a path with a slash in front, kube2iam's without.
    return value.startsWith('arn:') ? value : `${roleArnPrefix ?? ''}${value.replace(/^\//, '')}`
  }

  function invalidPodRole(value: string) {
    const bare =
      roleArnPrefix === undefined ? ', because aws.roleArnPrefix is not set' : ', or the name of one'
    return identityError(
      'IDENTITY_INVALID',
      `annotation ${POD_ROLE_ANNOTATION} is malformed`,
      `The annotation ${POD_ROLE_ANNOTATION} of this pod is "${printable(value)}". It must be ${ARN_WANTED}${bare}.`,
    )
  }

  function settingsOf(annotations: Readonly<Record<string, string>>) {
    const audience = annotations[AUDIENCE_ANNOTATION] ?? options.audience
    if (!AUDIENCE.test(audience)) {
      throw invalidAnnotation(
        AUDIENCE_ANNOTATION,
        audience,
        'a client ID of the IAM OIDC provider, without spaces',
      )
    }
    const expiration = annotations[EXPIRATION_ANNOTATION]
    const seconds = expiration === undefined ? undefined : parseSeconds(expiration)
    if (expiration !== undefined && seconds === undefined) {
      throw invalidAnnotation(EXPIRATION_ANNOTATION, expiration, 'a whole number of seconds, in digits')
    }
    const regional = annotations[REGIONAL_ANNOTATION] ?? 'true'
    if (regional !== 'true' && regional !== 'false') {
      throw invalidAnnotation(REGIONAL_ANNOTATION, regional, '"true" or "false"')
    }
    return {
      audience,
      tokenExpirationSeconds:
        seconds === undefined ? undefined : Math.min(TOKEN_SECONDS.max, Math.max(TOKEN_SECONDS.min, seconds)),
      globalEndpoint: regional === 'false',
    }
  }
}

const ARN_WANTED = 'the ARN of an IAM role, arn:PARTITION:iam::ACCOUNT:role/NAME'

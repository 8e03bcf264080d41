import * as v from 'valibot'
import { awsPassthroughRefusal } from './aws-passthrough-path.ts'
import { metadataEndpoint, serviceEndpoint } from './endpoint-fields.ts'
import { checkedList, duration, text, toggle } from './fields.ts'

const REGION = /^[a-z]{2,8}(?:-[a-z]{2,16}){1,3}-\d{1,2}$/
const AUDIENCE = /^[\x21-\x7e]{1,255}$/
const ROLE_PREFIX = /^arn:aws(?:-[a-z]{1,8}){0,3}:iam::\d{12}:role\/(?:[\x21-\x2e\x30-\x7e]{1,256}\/)*$/

const METADATA = metadataEndpoint()

/** The `aws` section: where STS is asked, for what sessions, and what pods are shown. */
export const awsSchema = v.strictObject({
  region: text('the code of an AWS region', REGION, {
    description: 'Region whose STS is asked, and that pods are told they run in. Required.',
    examples: ['eu-west-1'],
  }),
  audience: v.optional(
    text('a text without spaces', AUDIENCE, {
      description:
        'Audience of the Kubernetes tokens that are exchanged, unless `eks.amazonaws.com/audience` says otherwise: a client ID of the IAM OIDC provider.',
      examples: ['sts.amazonaws.com'],
    }),
    'sts.amazonaws.com',
  ),
  sessionDuration: v.optional(
    duration('15m', '12h', {
      description:
        "Life asked for a role session. No role gives more than its own maximum session duration, which is an hour unless raised. With less than an hour, SDKs of Python extend a session's end on their own.",
      examples: ['1h'],
    }),
    '1h',
  ),
  fips: v.optional(
    toggle({ description: "Ask STS at the region's FIPS endpoint.", examples: ['true'] }),
    false,
  ),
  dualStack: v.optional(
    toggle({
      description: "Ask STS at the region's dual-stack endpoint, which has IPv6 addresses too.",
      examples: ['true'],
    }),
    false,
  ),
  imdsV1: v.optional(
    toggle({
      description: 'Answer requests without a session token (IMDSv1) too.',
      examples: ['false'],
    }),
    true,
  ),
  podRoleAnnotation: v.optional(
    toggle({
      description:
        'Honour the pod annotation `iam.amazonaws.com/role` of kube2iam and kiam where the ServiceAccount names no role. The trust policy of the role still has to let the ServiceAccount in.',
      examples: ['true'],
    }),
    false,
  ),
  roleArnPrefix: v.optional(
    text('arn:PARTITION:iam::ACCOUNT:role/', ROLE_PREFIX, {
      description: 'What a bare role name in that annotation is appended to.',
      examples: ['arn:aws:iam::123456789012:role/'],
    }),
  ),
  relativeUri: v.optional(
    toggle({
      description:
        'Answer at 169.254.170.2 without a token, for pods with `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.',
      examples: ['true'],
    }),
    false,
  ),
  endpoints: v.optional(
    v.strictObject({
      sts: serviceEndpoint(
        "Base URL of AWS STS, for private endpoints. Default: the region's public one, or the global one where an annotation says so.",
        'https://vpce-0abc.sts.eu-west-1.vpce.amazonaws.com',
      ),
      metadata: METADATA,
    }),
    { metadata: METADATA.default },
  ),
  passthrough: v.optional(
    checkedList(awsPassthroughRefusal, {
      description:
        "Exact canonical paths that may be asked of the node's real metadata server; everything else that is not emulated is not found. Credentials, signatures and user data never pass.",
      examples: ['/latest/meta-data/spot/instance-action'],
    }),
    [],
  ),
})

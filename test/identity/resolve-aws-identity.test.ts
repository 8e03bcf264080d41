import fc from 'fast-check'
import t from 'tap'
import {
  type AwsIdentityOptions,
  createAwsIdentityResolver,
} from '../../src/identity/resolve-aws-identity.ts'
import { createIdentityRules, type IdentityRule } from '../../src/identity/rules.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

const ROLE = 'eks.amazonaws.com/role-arn'
const AUDIENCE = 'eks.amazonaws.com/audience'
const EXPIRATION = 'eks.amazonaws.com/token-expiration'
const REGIONAL = 'eks.amazonaws.com/sts-regional-endpoints'
const POD_ROLE = 'iam.amazonaws.com/role'
const ARN = 'arn:aws:iam::123456789012:role/team/web'

interface Setup extends Partial<AwsIdentityOptions> {
  readonly rules?: readonly IdentityRule[]
  readonly pod?: Record<string, string>
  readonly podNamespace?: string
}

function resolve(annotations: Record<string, string>, setup: Setup = {}) {
  const { rules = [], pod = {}, podNamespace = 'team-a', ...options } = setup
  const resolver = createAwsIdentityResolver(
    { region: 'eu-west-1', audience: 'sts.amazonaws.com', podRoleAnnotation: false, ...options },
    createIdentityRules(rules),
  )
  const serviceAccount = { namespace: 'team-a', name: 'web', uid: 'u', resourceVersion: '1', annotations }
  return resolver.resolve({ namespace: podNamespace, annotations: pod }, serviceAccount)
}

function failure(annotations: Record<string, string>, setup?: Setup): MetadatadError {
  try {
    resolve(annotations, setup)
  } catch (error) {
    if (error instanceof MetadatadError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

t.test('an annotated ServiceAccount has its role', async (t) => {
  t.strictSame(resolve({ [ROLE]: ARN }), {
    cloud: 'aws',
    roleArn: ARN,
    roleName: 'web',
    accountId: '123456789012',
    partition: 'aws',
    audience: 'sts.amazonaws.com',
    tokenExpirationSeconds: undefined,
    globalEndpoint: false,
  })
})

t.test('the other annotations change how the role is assumed', async (t) => {
  const identity = resolve({
    [ROLE]: ARN,
    [AUDIENCE]: 'my-cluster',
    [EXPIRATION]: '7200',
    [REGIONAL]: 'false',
  })
  t.match(identity, { audience: 'my-cluster', tokenExpirationSeconds: 7200, globalEndpoint: true })
  t.equal(resolve({ [ROLE]: ARN, [EXPIRATION]: '60' }).tokenExpirationSeconds, 600)
  t.equal(resolve({ [ROLE]: ARN, [EXPIRATION]: '999999999' }).tokenExpirationSeconds, 86_400)
  t.equal(resolve({ [ROLE]: ARN, [REGIONAL]: 'true' }).globalEndpoint, false)
})

t.test('a ServiceAccount with no annotation has no role', async (t) => {
  const error = failure({ [AUDIENCE]: 'x' })
  t.match(error, { code: 'IDENTITY_NONE', fault: 'policy', retryable: false })
  t.equal(
    error.publicMessage,
    'ServiceAccount team-a/web has no AWS identity. Annotate it with eks.amazonaws.com/role-arn: arn:aws:iam::ACCOUNT:role/NAME.',
  )
  t.match(failure({}, { region: 'cn-north-1' }).publicMessage, /: arn:aws-cn:iam::ACCOUNT/)
})

t.test('a malformed annotation is refused with a sentence that names it, never taken for none', async (t) => {
  const cases: [Record<string, string>, string][] = [
    [
      { [ROLE]: 'web' },
      'The annotation eks.amazonaws.com/role-arn of this pod\'s ServiceAccount is "web". It must be the ARN of an IAM role, arn:PARTITION:iam::ACCOUNT:role/NAME.',
    ],
    [
      { [ROLE]: '' },
      'The annotation eks.amazonaws.com/role-arn of this pod\'s ServiceAccount is "". It must be the ARN of an IAM role, arn:PARTITION:iam::ACCOUNT:role/NAME.',
    ],
    [
      { [ROLE]: ARN, [AUDIENCE]: 'a b' },
      'The annotation eks.amazonaws.com/audience of this pod\'s ServiceAccount is "a b". It must be a client ID of the IAM OIDC provider, without spaces.',
    ],
    [
      { [ROLE]: ARN, [EXPIRATION]: '1h' },
      'The annotation eks.amazonaws.com/token-expiration of this pod\'s ServiceAccount is "1h". It must be a whole number of seconds, in digits.',
    ],
    [
      { [ROLE]: ARN, [REGIONAL]: 'TRUE' },
      'The annotation eks.amazonaws.com/sts-regional-endpoints of this pod\'s ServiceAccount is "TRUE". It must be "true" or "false".',
    ],
  ]
  for (const [annotations, sentence] of cases) {
    const error = failure(annotations)
    t.match(error, { code: 'IDENTITY_INVALID', fault: 'policy', retryable: false })
    t.equal(error.publicMessage, sentence)
  }
})

t.test("a role of another partition than the region's is refused, and says so", async (t) => {
  const error = failure({ [ROLE]: 'arn:aws-cn:iam::123456789012:role/web' })
  t.equal(error.code, 'IDENTITY_INVALID')
  t.match(
    error.publicMessage,
    /is of the partition aws-cn, but .* eu-west-1, which is of the partition aws\. /,
  )
  const gov = { [ROLE]: 'arn:aws-us-gov:iam::123456789012:role/web' }
  t.equal(resolve(gov, { region: 'us-gov-west-1' }).partition, 'aws-us-gov')
  t.equal(failure({ [ROLE]: ARN }, { region: 'us-gov-west-1' }).code, 'IDENTITY_INVALID')
})

t.test(
  "kube2iam's annotation counts where it is honoured, and never before the ServiceAccount's",
  async (t) => {
    const pod = { [POD_ROLE]: ARN }
    t.equal(failure({}, { pod }).code, 'IDENTITY_NONE')
    t.equal(resolve({}, { pod, podRoleAnnotation: true }).roleArn, ARN)
    const other = 'arn:aws:iam::123456789012:role/other'
    t.equal(resolve({ [ROLE]: other }, { pod, podRoleAnnotation: true }).roleArn, other)
    t.equal(failure({ [ROLE]: 'x' }, { pod, podRoleAnnotation: true }).code, 'IDENTITY_INVALID')
  },
)

t.test('a bare role name is one of the configured account, and nothing without a prefix', async (t) => {
  const setup = (value: string, roleArnPrefix?: string): Setup => ({
    pod: { [POD_ROLE]: value },
    podRoleAnnotation: true,
    roleArnPrefix,
  })
  const prefix = 'arn:aws:iam::123456789012:role/'
  for (const [value, roleArn] of [
    ['web', `${prefix}web`],
    ['team/web', `${prefix}team/web`],
    ['/team/web', `${prefix}team/web`],
    ['arn:aws:iam::999999999999:role/x', 'arn:aws:iam::999999999999:role/x'],
  ] as const) {
    t.equal(resolve({}, setup(value, prefix)).roleArn, roleArn)
  }
  t.match(failure({}, setup('web')), {
    code: 'IDENTITY_INVALID',
    publicMessage: /iam\.amazonaws\.com\/role of this pod is "web".*because aws\.roleArnPrefix is not set/,
  })
  for (const value of ['', '/', '//x', 'a b', 'x:y:z']) {
    t.match(failure({}, setup(value, prefix)), {
      code: 'IDENTITY_INVALID',
      publicMessage: /or the name of one/,
    })
  }
})

t.test("the operator's rules are asked about the ARN", async (t) => {
  const rules = [
    { namespace: 'team-a', identity: 'arn:aws:iam::123456789012:role/team/*', allow: true },
    { namespace: 'team-b', allow: true },
  ]
  t.equal(resolve({ [ROLE]: ARN }, { rules }).roleArn, ARN)
  const error = failure({ [ROLE]: 'arn:aws:iam::123456789012:role/admin' }, { rules })
  t.match(error, { code: 'IDENTITY_REFUSED', fault: 'policy', retryable: false })
  t.match(
    error.publicMessage,
    /do not let ServiceAccount team-a\/web use the AWS role arn:aws:iam::1.*:role\/admin/,
  )
})

t.test('a ServiceAccount of another namespace is nobody', async (t) => {
  t.match(failure({ [ROLE]: ARN }, { podNamespace: 'team-b' }), { code: 'IDENTITY_REFUSED', fault: 'ours' })
})

t.test('whatever is annotated gives an identity or a coded refusal in printable words', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 1_100 }),
    fc.constantFrom('true', '600', ARN, 'a/b', `${ARN}…`),
  )
  fc.assert(
    fc.property(text, text, text, text, text, (role, audience, expiration, regional, podRole) => {
      const annotations = {
        [ROLE]: role,
        [AUDIENCE]: audience,
        [EXPIRATION]: expiration,
        [REGIONAL]: regional,
      }
      for (const given of [annotations, {}]) {
        try {
          const setup = {
            pod: { [POD_ROLE]: podRole },
            podRoleAnnotation: true,
            roleArnPrefix: 'arn:aws:iam::1:role/',
          }
          const identity = resolve(given, setup)
          if (!/^arn:aws:iam::\d{12}:role\/[\x21-\x7e]+$/.test(identity.roleArn)) return false
        } catch (error) {
          if (!(error instanceof MetadatadError)) return false
          if (!/^[\x20-\x7e]+\.$/.test(error.publicMessage) || error.publicMessage.length > 2_500)
            return false
        }
      }
      return true
    }),
  )
})

/** What one pod is to AWS. */
export interface AwsIdentity {
  readonly cloud: 'aws'
  /** `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`. */
  readonly roleArn: string
  /** The role's own name, the last part of the ARN's path: what IMDS lists. */
  readonly roleName: string
  readonly accountId: string
  /** `aws`, `aws-cn`, `aws-us-gov`, `aws-iso…`, `aws-eusc`. */
  readonly partition: string
  /** Audience of the subject token: an OIDC provider's client ID. */
  readonly audience: string
  /** Life asked for the subject token, in seconds; undefined: the configured one. */
  readonly tokenExpirationSeconds: number | undefined
  /** Ask the partition's global endpoint instead of the region's (`eks.amazonaws.com/sts-regional-endpoints: "false"`). */
  readonly globalEndpoint: boolean
}

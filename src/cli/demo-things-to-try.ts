import type { DemoPod } from './demo-pods.ts'

/** Where everything is that the commands use. */
export interface ThingsToTryOptions {
  /** The daemon's addresses, as `host:port`. */
  readonly listen: { readonly metadata: string; readonly admin: string }
  /** The first has an identity in every cloud. */
  readonly pods: readonly DemoPod[]
  /** The sandbox's STS, and the authority that signed its certificate. */
  readonly stsUrl: string
  readonly caFile: string
}

/** What a person can try in another terminal while the demo is up. Every command works as printed, from the clone. */
export function thingsToTry({ listen, pods, stsUrl, caFile }: ThingsToTryOptions): string {
  const { metadata, admin } = listen
  const pod = pods[0]!
  const refused = pods.find(({ granted }) => !granted)
  const at = `http://${metadata}`
  const curl = (from: DemoPod) => `curl -sw '\\n' --interface ${from.ip}`
  const google = `-H Metadata-Flavor:Google ${at}/computeMetadata/v1/instance/service-accounts/default/token`
  const azure = `${at}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/`
  const gce = `GCE_METADATA_HOST=${metadata} GCE_METADATA_IP=${metadata}`
  return `
Try, in another terminal:

  # be ${pod.namespace}/${pod.name}, by its source address: in Google Cloud, in AWS and in Azure
  ${curl(pod)} ${google}
  TOKEN=$(${curl(pod)} -X PUT -H X-aws-ec2-metadata-token-ttl-seconds:60 ${at}/latest/api/token)
  ${curl(pod)} -H X-aws-ec2-metadata-token:$TOKEN ${at}/latest/meta-data/iam/security-credentials/${pod.serviceAccount}
  ${curl(pod)} -H Metadata:true '${azure}'
${refused === undefined ? '' : `  # be ${refused.namespace}/${refused.name}, and be refused\n  ${curl(refused)} ${google}\n`}
  # the clouds' own libraries for Node.js, all three in one process (they are here: run this in the clone); clients that
  # can't choose their source address are the pod default/laptop (127.0.0.1), and accounts of yours must not come first
  GCE_METADATA_HOST=${metadata} CLOUDSDK_CONFIG=/dev/null AWS_EC2_METADATA_SERVICE_ENDPOINT=${at}/ \\
  AZURE_POD_IDENTITY_AUTHORITY_HOST=${at} NODE_EXTRA_CA_CERTS='${caFile}' \\
  npx --no-install node --input-type=module -e "
    import { GoogleAuth } from 'google-auth-library'
    import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
    import { fromInstanceMetadata } from '@aws-sdk/credential-providers'
    import { ManagedIdentityCredential } from '@azure/identity'
    const google = await new GoogleAuth().getCredentials()
    console.log('Google', google.client_email)
    const sts = new STSClient({ region: 'eu-west-1', endpoint: '${stsUrl}', credentials: fromInstanceMetadata() })
    const aws = await sts.send(new GetCallerIdentityCommand())
    console.log('AWS   ', aws.Arn)
    const azure = await new ManagedIdentityCredential().getToken('https://management.azure.com/.default')
    console.log('Azure ', JSON.parse(atob(azure.token.split('.')[1])).appid)"

  # gcloud remembers for ten minutes that it was not on Google Cloud, and so gets a directory of its own
  ${gce} GCE_METADATA_ROOT=${metadata} CLOUDSDK_CONFIG=$(mktemp -d) gcloud auth list

  # the AWS CLI asks the sandbox's STS who it is
  env -u AWS_PROFILE -u AWS_ACCESS_KEY_ID AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER= \\
  AWS_EC2_METADATA_SERVICE_ENDPOINT=${at}/ AWS_DEFAULT_REGION=eu-west-1 AWS_CA_BUNDLE='${caFile}' \\
  aws sts get-caller-identity --endpoint-url ${stsUrl}

  # the clouds' libraries for Python (pip install google-auth requests azure-identity)
  ${gce} CLOUDSDK_CONFIG=/dev/null \\
  AZURE_POD_IDENTITY_AUTHORITY_HOST=${at} python3 -c "
import azure.identity, google.auth, google.auth.transport.requests
credentials, project = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform'])
credentials.refresh(google.auth.transport.requests.Request())
print(project, credentials.service_account_email)
print(credentials.token)
print(azure.identity.ManagedIdentityCredential().get_token('https://management.azure.com/.default').token)"

  # what the operator sees
  curl -s http://${admin}/readyz
  curl -s http://${admin}/metrics | grep metadatad_

The credentials are the sandbox's: no cloud knows them. Ctrl-C ends the demo and removes everything.
`
}

import type { DemoPod } from './demo-pods.ts'

/** What a person can try in another terminal while the demo is up. Every command works as printed, from the clone. */
export function thingsToTry(
  listen: { readonly metadata: string; readonly admin: string },
  pods: readonly DemoPod[],
): string {
  const { metadata, admin } = listen
  const token = `http://${metadata}/computeMetadata/v1/instance/service-accounts/default/token`
  const curl = (ip: string) => `curl -s --interface ${ip} -H 'Metadata-Flavor: Google' ${token}`
  const host = `GCE_METADATA_HOST=${metadata} GCE_METADATA_IP=${metadata} GCE_METADATA_ROOT=${metadata}`
  const addressed = pods.filter((pod) => pod.ip !== '127.0.0.1')
  return `
Try, in another terminal:

${addressed.length > 0 ? `  # be one of the pods, by its source address\n${[addressed[0]!, addressed.at(-1)!].map((pod) => `  ${curl(pod.ip)}`).join('\n')}\n` : ''}
  # clients that can't choose their source address are the pod default/laptop (127.0.0.1); gcloud remembers for ten
  # minutes that it was not on Google Cloud, and so gets a directory of its own
  ${host} CLOUDSDK_CONFIG=$(mktemp -d) gcloud auth list

  # Google's Node library (it is here: run this in the clone)
  GCE_METADATA_HOST=${metadata} npx --no-install node --input-type=module -e "
    import { GoogleAuth } from 'google-auth-library'
    const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
    const client = await auth.getClient()
    console.log(await auth.getProjectId(), (await auth.getCredentials()).client_email)
    console.log((await client.getAccessToken()).token)"

  # Google's Python library (pip install google-auth requests)
  GCE_METADATA_HOST=${metadata} GCE_METADATA_IP=${metadata} python3 -c "
import google.auth, google.auth.transport.requests
credentials, project = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform'])
credentials.refresh(google.auth.transport.requests.Request())
print(project, credentials.service_account_email)
print(credentials.token)"

  # what the operator sees
  curl -s http://${admin}/readyz
  curl -s http://${admin}/metrics | grep metadatad_

The tokens are the sandbox's: no Google service knows them. Ctrl-C ends the demo and removes everything.
`
}

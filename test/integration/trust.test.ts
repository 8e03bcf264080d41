import t from 'tap'
import { SANDBOX_NODE, SANDBOX_PROVIDER } from '../../src/sandbox/names.ts'
import { sandboxMember } from '../../src/sandbox/sandbox-config.ts'
import { ask } from '../support/ask.ts'
import {
  askPatiently,
  EMAIL,
  gsa,
  identityOf,
  identityPath,
  TOKEN,
  tokenOf,
} from '../support/pod-questions.ts'
import { type Metadatad, startMetadatad } from '../support/start-metadatad.ts'
import { upstreamCalls } from '../support/traffic.ts'

const IDENTITY_NAMESPACE = 'demo-project.svc.id.goog'
const FLEET_MEMBER =
  'https://gkehub.googleapis.com/projects/demo-project/locations/global/memberships/sandbox'
const NOTHING = { tokenRequest: 0, sts: 0, generateAccessToken: 0, generateIdToken: 0 }

t.test('a pod without an annotation gets the federated token itself, and no ID tokens', async (t) => {
  await using metadatad = await startMetadatad()
  const { sandbox, host } = metadatad
  const ip = '127.0.8.1'
  const podUid = metadatad.pod(ip, 'plain')
  const { access_token } = await tokenOf(metadatad, ip)
  t.match(sandbox.google.inspect(access_token), { identity: sandboxMember('ns', 'sa-plain'), podUid })
  t.match(upstreamCalls(sandbox), { tokenRequest: 1, sts: 1, generateAccessToken: 0 })
  t.equal((await ask(host, EMAIL, { ip })).body, 'sandbox')

  const scoped = await tokenOf(metadatad, ip, `${TOKEN}?scopes=https://www.googleapis.com/auth/bigquery`)
  t.match(sandbox.google.inspect(scoped.access_token), {
    scopes: ['https://www.googleapis.com/auth/bigquery'],
  })

  const identity = await ask(host, identityPath('https://service.example'), { ip })
  t.equal(identity.status, 404)
  t.match(identity.body, 'iam.gke.io/gcp-service-account')
})

t.test('where the operator wants it, a pod without an annotation gets nothing', async (t) => {
  await using metadatad = await startMetadatad({ flags: { 'google.unannotated': 'refuse' } })
  const { sandbox, host } = metadatad
  metadatad.pod('127.0.8.2', 'plain')
  for (const path of [TOKEN, EMAIL, identityPath('https://service.example')]) {
    const { status, body } = await askPatiently(metadatad, '127.0.8.2', path)
    t.equal(status, 404, path)
    t.match(body, 'ServiceAccount ns/sa-plain has no Google identity. Annotate it with iam.gke.io/gcp')
  }
  t.equal((await ask(host, '/computeMetadata/v1/project/project-id', { ip: '127.0.8.2' })).status, 200)
  t.strictSame(upstreamCalls(sandbox), NOTHING)
})

/** A pod whose ServiceAccount had these annotations before it. */
function annotatedPod({ sandbox }: Metadatad, ip: string, name: string, annotations: Record<string, string>) {
  sandbox.kubernetes.applyServiceAccount('ns', name, annotations)
  sandbox.kubernetes.createPod({
    namespace: 'ns',
    name,
    serviceAccountName: name,
    nodeName: SANDBOX_NODE,
    ips: [ip],
  })
}

t.test("a pod's principal is shown as its e-mail where its ServiceAccount says so", async (t) => {
  await using metadatad = await startMetadatad()
  annotatedPod(metadatad, '127.0.8.3', 'named', { 'iam.gke.io/return-principal-id-as-email': 'true' })
  t.equal((await askPatiently(metadatad, '127.0.8.3', EMAIL)).body, sandboxMember('ns', 'named'))
})

t.test('the quota project of the ServiceAccount pays for the calls of IAM', async (t) => {
  await using metadatad = await startMetadatad()
  const { sandbox } = metadatad
  sandbox.google.grant(gsa('frugal'), sandboxMember('ns', 'frugal'))
  annotatedPod(metadatad, '127.0.8.4', 'frugal', {
    'iam.gke.io/gcp-service-account': gsa('frugal'),
    'iam.gke.io/credential-quota-project': 'billing-project',
  })
  metadatad.pod('127.0.8.5', 'other', { email: gsa('other') })
  const frugal = sandbox.google.inspect((await tokenOf(metadatad, '127.0.8.4')).access_token)
  t.match(frugal, { identity: gsa('frugal'), quotaProject: 'billing-project' })
  const other = sandbox.google.inspect((await tokenOf(metadatad, '127.0.8.5')).access_token)
  t.match(other, { identity: gsa('other'), quotaProject: undefined })
})

t.test('the identity namespace of GKE or a fleet is trusted end to end', async (t) => {
  await using metadatad = await startMetadatad({
    prepare({ google, kubernetes }) {
      google.addIdentityNamespace(IDENTITY_NAMESPACE, FLEET_MEMBER, { issuer: kubernetes.issuer })
    },
    amend: (yaml) =>
      yaml.replace(
        `workloadIdentityProvider: ${SANDBOX_PROVIDER}`,
        `identityNamespace: ${IDENTITY_NAMESPACE}\n  identityProvider: ${FLEET_MEMBER}`,
      ),
  })
  const { sandbox, host } = metadatad
  const member = (serviceAccount: string) => `serviceAccount:${IDENTITY_NAMESPACE}[ns/${serviceAccount}]`

  // Granted to the member of the pool only, which this pod is not.
  metadatad.pod('127.0.8.6', 'gke', { email: gsa('gke') })
  const refused = await askPatiently(metadatad, '127.0.8.6', TOKEN)
  t.equal(refused.status, 403)
  t.match(refused.body, `Grant roles/iam.workloadIdentityUser on ${gsa('gke')} to ${member('sa-gke')}.`)

  sandbox.google.grant(gsa('fleet'), member('sa-fleet'))
  metadatad.pod('127.0.8.7', 'fleet', { email: gsa('fleet'), granted: false })
  t.equal(await identityOf(metadatad, '127.0.8.7'), gsa('fleet'))

  metadatad.pod('127.0.8.8', 'plain')
  t.equal(await identityOf(metadatad, '127.0.8.8'), member('sa-plain'))
  t.equal((await ask(host, EMAIL, { ip: '127.0.8.8' })).body, IDENTITY_NAMESPACE)
})

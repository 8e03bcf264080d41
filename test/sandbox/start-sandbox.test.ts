import t from 'tap'
import { Agent, request } from 'undici'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'

const PROVIDER = 'projects/123/locations/global/workloadIdentityPools/pool/providers/prod'
const AUDIENCE = `//iam.googleapis.com/${PROVIDER}`

t.test('a pod’s token buys a Google token until the pod is gone', async (t) => {
  const sandbox = await startSandbox()
  const dispatcher = new Agent({ connect: { ca: sandbox.caPem } })
  t.teardown(async () => {
    await dispatcher.destroy()
    await sandbox.close()
  })
  const { kubernetes, google } = sandbox
  google.addProvider(PROVIDER, { issuer: kubernetes.issuer })
  const podUid = kubernetes.createPod({ namespace: 'a', name: 'x', serviceAccountName: 'sa' })
  const subjectToken = await kubernetes.mintToken({ namespace: 'a', name: 'x' }, AUDIENCE)

  async function exchange() {
    const { statusCode, body } = await request(`${google.stsUrl}/v1/token`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        audience: AUDIENCE,
        scope: 'https://www.googleapis.com/auth/cloud-platform',
        requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        subject_token: subjectToken,
      }).toString(),
    })
    return { status: statusCode, answer: (await body.json()) as { access_token: string } }
  }

  const { status, answer } = await exchange()
  t.equal(status, 200)
  t.match(google.inspect(answer.access_token), { podUid, identity: /subject\/system:serviceaccount:a:sa$/ })
  kubernetes.removePod('a', 'x')
  t.equal((await exchange()).status, 400)
})

t.test(
  'a pod’s tokens buy a role session of AWS and a token of Entra, and each cloud’s audience only its own',
  async (t) => {
    const sandbox = await startSandbox()
    const dispatcher = new Agent({ connect: { ca: sandbox.caPem } })
    t.teardown(async () => {
      await dispatcher.destroy()
      await sandbox.close()
    })
    const { kubernetes, aws, azure } = sandbox
    const issuer = kubernetes.issuer
    const subject = 'system:serviceaccount:a:sa'
    const podUid = kubernetes.createPod({ namespace: 'a', name: 'x', serviceAccountName: 'sa' })
    const mint = (audience: string) => kubernetes.mintToken({ namespace: 'a', name: 'x' }, audience)
    const post = async (url: string, form: Record<string, string>) => {
      const { statusCode, body } = await request(url, {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
      })
      return { status: statusCode, answer: await body.text() }
    }

    const roleArn = 'arn:aws:iam::123456789012:role/app'
    aws.addOidcProvider({ accountId: '123456789012', issuer, clientIds: ['sts.amazonaws.com'] })
    aws.addRole(roleArn, { trust: [{ issuer, subject, audience: 'sts.amazonaws.com' }] })
    const assume = (WebIdentityToken: string) =>
      post(aws.stsUrl, {
        ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleSessionName: 'a.x' },
        ...{ RoleArn: roleArn, WebIdentityToken },
      })
    const assumed = await assume(await mint('sts.amazonaws.com'))
    t.equal(assumed.status, 200)
    const accessKeyId = /ASIA[A-Z2-7]{16}/.exec(assumed.answer)?.[0] ?? ''
    t.match(aws.inspect(accessKeyId), { roleArn, sessionName: 'a.x', subject, podUid })

    const [tenantId, clientId] = [
      '11111111-2222-3333-4444-555555555555',
      'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    ]
    const audience = 'api://AzureADTokenExchange'
    azure.addApplication({ tenantId, clientId, federatedCredentials: [{ issuer, subject, audience }] })
    const exchange = (client_assertion: string) =>
      post(`${azure.authorityUrl}/${tenantId}/oauth2/v2.0/token`, {
        ...{ grant_type: 'client_credentials', client_id: clientId, client_assertion },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        scope: 'https://vault.azure.net/.default',
      })
    const exchanged = await exchange(await mint(audience))
    t.equal(exchanged.status, 200)
    t.match(azure.inspect(JSON.parse(exchanged.answer).access_token), { tenantId, clientId, subject, podUid })

    t.match(await assume(await mint(audience)), { status: 400, answer: /InvalidIdentityToken/ })
    t.match(await exchange(await mint('sts.amazonaws.com')), { status: 401, answer: /AADSTS7002121/ })
  },
)

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

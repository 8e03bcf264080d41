import t from 'tap'
import { CLIENT_EMAIL, CONDITIONS, startClientPod } from './client-pod.ts'
import { runClient } from './run-client.ts'
import { verifyIdToken } from './verify-id-token.ts'

const PROGRAM = new URL('google-auth-library.client.ts', import.meta.url).pathname
// Sent as it is: the library escapes nothing.
const AUDIENCE = 'https://service.example/path?a=b'

// They wait for a slow cloud most of the time.
t.jobs = 2

for (const condition of CONDITIONS) {
  t.test(
    `Google's Node library gets the pod's own tokens while ${condition.name}`,
    { buffered: true },
    async (t) => {
      await using pod = await startClientPod(condition)
      const got = JSON.parse(await runClient(process.execPath, [PROGRAM, AUDIENCE], pod.env))

      t.match(got, {
        kind: 'Compute',
        email: CLIENT_EMAIL,
        projectId: 'demo-project',
        universeDomain: 'googleapis.com',
      })
      t.strictSame(pod.sandbox.google.inspect(got.accessToken), {
        identity: CLIENT_EMAIL,
        scopes: ['https://www.googleapis.com/auth/devstorage.read_only'],
        podUid: pod.podUid,
        quotaProject: undefined,
      })
      t.equal(got.again, got.accessToken)
      t.match(await verifyIdToken(pod.sandbox, got.idToken, AUDIENCE), { email: CLIENT_EMAIL })

      const { attempts } = condition
      t.strictSame(pod.calls(), {
        tokenRequest: 1,
        sts: attempts,
        generateAccessToken: attempts,
        generateIdToken: attempts,
      })
      t.strictSame(await pod.answers(), {
        'directory 200': 1,
        'value 200': 1,
        'token 200': 1,
        'service-accounts 200': 1,
        'identity 200': 1,
      })
    },
  )
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { CLIENT_EMAIL, CONDITIONS, startClientPod, total } from './client-pod.ts'
import { runClient } from './run-client.ts'
import { verifyIdToken } from './verify-id-token.ts'

const PROGRAM = new URL('google_auth_client.py', import.meta.url).pathname
const AUDIENCE = 'https://service.example/path?a=b&c=d'

/** Where `.ci/run` installs the library. */
const PYTHON =
  process.env.METADATAD_TEST_PYTHON ?? new URL('../../.cache/venv/bin/python3', import.meta.url).pathname

const missing = await promisify(execFile)(PYTHON, ['-c', 'import google.auth, requests']).then(
  () => undefined,
  () =>
    `no google-auth for ${PYTHON}: python3 -m venv .cache/venv && .cache/venv/bin/pip install google-auth requests`,
)

// They wait for a slow cloud most of the time.
t.jobs = 2

for (const condition of CONDITIONS) {
  const name = `Google's Python library gets the pod's own tokens while ${condition.name}`
  t.test(name, { skip: missing ?? false, buffered: true }, async (t) => {
    await using pod = await startClientPod(condition)
    const got = JSON.parse(await runClient(PYTHON, [PROGRAM, AUDIENCE], pod.env))

    t.match(got, {
      kind: 'google.auth.compute_engine.credentials.Credentials',
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
    t.match(await verifyIdToken(pod.sandbox, got.idToken, AUDIENCE), { email: CLIENT_EMAIL })

    const { attempts } = condition
    t.strictSame(pod.calls(), {
      tokenRequest: 1,
      sts: attempts,
      generateAccessToken: attempts,
      generateIdToken: attempts,
    })
    const answers = await pod.answers()
    t.match(answers, { 'token 200': 1, 'identity 200': 1 })
    // Its releases differ in what they ask besides; it is not pinned.
    t.ok(total(answers) <= 9, `answers: ${JSON.stringify(answers)}`)
    t.notMatch(Object.keys(answers).join(), /[1345]\d\d/)
  })
}

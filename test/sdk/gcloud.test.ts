import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { sandboxMember } from '../../src/sandbox/sandbox-config.ts'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { EMAIL } from '../support/pod-questions.ts'
import { CLIENT_EMAIL, CONDITIONS, startClientPod, total } from './client-pod.ts'
import { runClient } from './run-client.ts'

const found = await promisify(execFile)('/bin/sh', ['-c', 'command -v gcloud']).then(
  ({ stdout }) => stdout.trim(),
  () => undefined,
)
const skip =
  found === undefined &&
  'no gcloud on this machine: neither pip nor Debian has it; see https://cloud.google.com/sdk/docs/install'

const PREFERENCES = { CLOUDSDK_CORE_DISABLE_PROMPTS: '1', CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true' }

// They wait for a slow cloud most of the time.
t.jobs = 2

for (const condition of CONDITIONS) {
  t.test(
    `gcloud is logged in as the pod's identity while ${condition.name}`,
    { skip, buffered: true },
    async (t) => {
      await using pod = await startClientPod(condition)
      const env = { ...PREFERENCES, ...pod.env, PATH: process.env.PATH! }

      const token = (await runClient(found!, ['auth', 'print-access-token'], env)).trim()
      const info = pod.sandbox.google.inspect(token)
      t.match(info, { identity: CLIENT_EMAIL, podUid: pod.podUid })

      const { attempts } = condition
      // It asks for an ID token first, for an audience of its own.
      t.strictSame(pod.calls(), {
        tokenRequest: 1,
        sts: attempts,
        generateAccessToken: attempts,
        generateIdToken: attempts,
      })
      const answers = await pod.answers()
      t.match(answers, { 'token 200': 1, 'identity 200': 1 })
      t.ok(total(answers) <= 9, `answers: ${JSON.stringify(answers)}`)
    },
  )
}

t.test("gcloud lists the pod's identity as its account", { skip, buffered: true }, async (t) => {
  await using pod = await startClientPod(CONDITIONS[0]!)
  const env = { ...PREFERENCES, ...pod.env, PATH: process.env.PATH! }
  const accounts = JSON.parse(await runClient(found!, ['auth', 'list', '--format=json'], env))
  t.strictSame(accounts, [{ account: CLIENT_EMAIL, status: 'ACTIVE' }])
})

t.test('gcloud gets along with a pod that has no ID tokens', { skip, buffered: true }, async (t) => {
  await using pod = await startClientPod(CONDITIONS[0]!)
  pod.sandbox.kubernetes.applyServiceAccount('ns', 'sa-client', {})
  await eventually(
    () => ask(pod.host, EMAIL),
    ({ body }) => body === 'sandbox',
  )
  const env = { ...PREFERENCES, ...pod.env, PATH: process.env.PATH! }
  const token = (await runClient(found!, ['auth', 'print-access-token'], env)).trim()
  t.match(pod.sandbox.google.inspect(token), { identity: sandboxMember('ns', 'sa-client') })
  t.match(await pod.answers(), { 'identity 404': 1 })
})

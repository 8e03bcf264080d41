import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { CLIENT_EMAIL, CONDITIONS, startClientPod } from './client-pod.ts'
import { runClient } from './run-client.ts'

const found = await promisify(execFile)('/bin/sh', ['-c', 'command -v gcloud']).then(
  ({ stdout }) => stdout.trim(),
  () => undefined,
)
const skip =
  found === undefined &&
  'no gcloud on this machine: neither pip nor Debian has it; see https://cloud.google.com/sdk/docs/install'

const PREFERENCES = { CLOUDSDK_CORE_DISABLE_PROMPTS: '1', CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true' }

for (const condition of CONDITIONS) {
  t.test(`gcloud is logged in as the pod's identity while ${condition.name}`, { skip }, async (t) => {
    await using pod = await startClientPod(condition)
    const env = { ...PREFERENCES, ...pod.env, PATH: process.env.PATH! }

    const token = (await runClient(found!, ['auth', 'print-access-token'], env)).trim()
    const info = pod.sandbox.google.inspect(token)
    t.match(info, { identity: CLIENT_EMAIL, podUid: pod.podUid })

    const { attempts } = condition
    t.strictSame(pod.calls(), { tokenRequest: 1, sts: attempts, generateAccessToken: attempts })
    t.strictSame(await pod.answers(), {})
  })
}

t.test("gcloud lists the pod's identity as its account", { skip }, async (t) => {
  await using pod = await startClientPod(CONDITIONS[0]!)
  const env = { ...PREFERENCES, ...pod.env, PATH: process.env.PATH! }
  const accounts = JSON.parse(await runClient(found!, ['auth', 'list', '--format=json'], env))
  t.strictSame(accounts, [{ account: CLIENT_EMAIL, status: 'ACTIVE' }])
})

import t, { type Test } from 'tap'
import { request } from 'undici'
import { ask } from '../support/ask.ts'
import { askPatiently, gsa, identityPath, TOKEN, tokenOf } from '../support/pod-questions.ts'
import { type Metadatad, startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { obtained } from '../support/traffic.ts'

/** A refusal is written down again after a minute, which a slow machine may need for the traffic here. */
const clock = new SteadyClock()

/** Every token here has one of these forms, whoever gave it out. */
const TOKEN_FORMS = /ya29\.[\w-]{8,}|eyJ[\w-]{8,}(?:\.[\w-]+)*/

/** Lets pods get, and fail to get, credentials of all kinds; returns every token that the test could lay hands on. */
async function makeTraffic(t: Test, metadatad: Metadatad): Promise<Set<string>> {
  const { sandbox, host } = metadatad
  const tokens = new Set<string>()
  sandbox.google.intercept = (call, body) => {
    // Only seen here: it never reaches a pod.
    if (call === 'sts') tokens.add((body as { subject_token: string }).subject_token)
    return undefined
  }
  metadatad.pod('127.0.9.77', 'zebra-pod', { email: gsa('zebra') })
  metadatad.pod('127.0.9.78', 'plain-pod')
  metadatad.pod('127.0.9.79', 'denied-pod', { email: gsa('denied'), granted: false })
  for (let n = 0; n < 20; n++) {
    tokens.add((await tokenOf(metadatad, '127.0.9.77')).access_token)
    tokens.add((await tokenOf(metadatad, '127.0.9.78')).access_token)
    const id = await askPatiently(metadatad, '127.0.9.77', identityPath('https://audience.example'))
    tokens.add(id.body)
    await askPatiently(metadatad, '127.0.9.79', TOKEN)
    await ask(host, `/computeMetadata/v1/secret-path-${n}`, { ip: '127.0.9.77' })
  }
  // A cloud that says a token back, and one that says nothing of use.
  for (const [n, body] of [
    ...[...tokens].map((token) => ({ error: 'invalid_grant', error_description: `bad token ${token}` })),
    'nonsense',
  ].entries()) {
    sandbox.google.intercept = () => ({ status: 400, body })
    const ip = `127.0.9.${100 + n}`
    metadatad.pod(ip, `echo-${n}`, { email: gsa(`echo-${n}`) })
    // What is not in Google's words refuses nobody: such an answer is tried again for ever.
    const answer =
      body === 'nonsense' ? await ask(host, TOKEN, { ip }) : await askPatiently(metadatad, ip, TOKEN)
    t.notMatch(answer.body, TOKEN_FORMS)
  }
  return tokens
}

t.test('the log has one audit line for each credential, and no token anywhere', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, logged } = metadatad
  const tokens = await makeTraffic(t, metadatad)
  t.ok(tokens.size >= 6)
  for (const token of tokens) t.match(token, TOKEN_FORMS, 'the forms looked for are those given out')

  const lines = logged.map((line) => JSON.stringify(line))
  t.notMatch(lines.join('\n'), TOKEN_FORMS)
  for (const token of tokens) {
    // Nor the part after the form's own beginning.
    const tail = token.slice(-24)
    t.notOk(lines.some((line) => line.includes(tail)))
  }

  const pod = sandbox.kubernetes.pod('ns', 'zebra-pod')!
  const audit = obtained(logged, { pod: 'zebra-pod' })
  t.strictSame(audit.map(({ kind }) => kind).sort(), [
    'google-access-token',
    'google-federated-token',
    'google-id-token',
  ])
  t.match(
    audit.find(({ kind }) => kind === 'google-access-token'),
    {
      level: 'info',
      namespace: 'ns',
      podUid: pod.uid,
      serviceAccount: 'sa-zebra-pod',
      identity: gsa('zebra'),
      digest: /^sha256:[0-9a-f]{12}$/,
      expiresAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    },
  )
  t.equal(obtained(logged, { pod: 'plain-pod' }).length, 1)
  t.equal(obtained(logged, { pod: 'denied-pod', kind: 'google-access-token' }).length, 0)
  const refusals = logged.filter(
    (line) => line.pod === 'denied-pod' && line.msg === 'credential not obtained',
  )
  t.equal(refusals.length, 1)
  t.match(refusals[0], { level: 'warn', code: 'EXCHANGE_REFUSED' })
})

t.test('metrics name no address, pod, path or e-mail, and no token', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  await makeTraffic(t, metadatad)
  const { body } = await request(`${metadatad.adminUrl}/metrics`)
  const page = await body.text()
  t.match(page, /^metadatad_answers_total\{protocol="google",route="token",status="200"\} 40$/m)
  t.match(page, /^metadatad_blocked_total\{protocol="google"\} 20$/m)
  const values = page.split('\n').filter((line) => !line.startsWith('#'))
  const labels = values.flatMap((line) => [...line.matchAll(/="([^"]*)"/g)].map((match) => match[1]!))
  t.ok(labels.length > 50)
  for (const label of new Set(labels)) {
    t.notMatch(
      label,
      /\d+\.\d+\.\d+\.\d+|::|@|^\/|ns\/|-pod|echo-|zebra|secret-path|audience|principal/,
      label,
    )
    t.notMatch(label, TOKEN_FORMS, label)
  }
})

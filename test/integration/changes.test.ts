import t from 'tap'
import { SANDBOX_NODE } from '../../src/sandbox/names.ts'
import { sandboxMember } from '../../src/sandbox/sandbox-config.ts'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { keptAlive } from '../support/kept-alive.ts'
import { EMAIL, gsa, identityOf, TOKEN, tokenOf } from '../support/pod-questions.ts'
import { type Metadatad, startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { obtained, upstreamCalls } from '../support/traffic.ts'

/** Requests are held for 0.9 s, however much of that the machine sleeps through. */
const clock = new SteadyClock()

const annotated = (email: string) => ({ 'iam.gke.io/gcp-service-account': email })

/** Until the daemon has heard who the pod at `ip` now is. */
function known(metadatad: Metadatad, ip: string, email: string) {
  return eventually(
    () => ask(metadatad.host, EMAIL, { ip }),
    ({ status, body }) => status === 200 && body === email,
  )
}

t.test('an annotation that changes reaches the running pod, and the old token is dropped', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host } = metadatad
  const ip = '127.0.6.1'
  metadatad.pod(ip, 'chameleon', { email: gsa('green') })
  sandbox.google.grant(gsa('brown'), sandboxMember('ns', 'sa-chameleon'))
  using connection = keptAlive(host, ip)
  const green = JSON.parse((await connection.askPatiently(TOKEN)).body).access_token
  t.equal(sandbox.google.inspect(green)?.identity, gsa('green'))

  sandbox.kubernetes.applyServiceAccount('ns', 'sa-chameleon', annotated(gsa('brown')))
  await known(metadatad, ip, gsa('brown'))
  for (const token of [await connection.ask(TOKEN), await ask(host, TOKEN, { ip })]) {
    t.equal(sandbox.google.inspect(JSON.parse(token.body).access_token)?.identity, gsa('brown'))
  }
  t.equal(connection.ports.size, 1, 'the pod is still the same: so is its connection')
  const path = `/computeMetadata/v1/instance/service-accounts/${gsa('green')}/token`
  t.equal((await ask(host, path, { ip })).status, 404, 'the old e-mail is not its own any more')

  sandbox.kubernetes.applyServiceAccount('ns', 'sa-chameleon', annotated(gsa('green')))
  await known(metadatad, ip, gsa('green'))
  const { access_token } = await tokenOf(metadatad, ip)
  t.equal(sandbox.google.inspect(access_token)?.identity, gsa('green'))
  t.not(access_token, green, 'what was dropped does not come back')
})

t.test('an annotation that is taken away takes the service account away', async (t) => {
  await using metadatad = await startMetadatad({ clock, flags: { 'google.unannotated': 'refuse' } })
  const { sandbox, host } = metadatad
  const ip = '127.0.6.2'
  metadatad.pod(ip, 'demoted', { email: gsa('boss') })
  t.equal(await identityOf(metadatad, ip), gsa('boss'))
  sandbox.kubernetes.applyServiceAccount('ns', 'sa-demoted', {})
  const refused = await eventually(
    () => ask(host, TOKEN, { ip }),
    ({ status }) => status !== 200,
  )
  t.equal(refused.status, 404)
  t.equal((await ask(host, TOKEN, { ip })).status, 404)
})

for (const end of ['removed', 'completed', 'deleted and its sandbox gone'] as const) {
  t.test(
    `the address of a pod that was ${end} answers as its next owner, never as the old one`,
    async (t) => {
      await using metadatad = await startMetadatad({ clock })
      const { sandbox, host } = metadatad
      const ip = '127.0.6.3'
      const oldUid = metadatad.pod(ip, 'old', { email: gsa('old') })
      using connection = keptAlive(host, ip)
      const old = JSON.parse((await connection.askPatiently(TOKEN)).body).access_token
      t.equal(sandbox.google.inspect(old)?.podUid, oldUid)

      if (end === 'removed') sandbox.kubernetes.removePod('ns', 'old')
      else if (end === 'completed') sandbox.kubernetes.updatePod('ns', 'old', { phase: 'Succeeded' })
      else {
        sandbox.kubernetes.deletePod('ns', 'old')
        sandbox.kubernetes.updatePod('ns', 'old', { sandboxReady: false })
      }
      const newUid = metadatad.pod(ip, 'new', { email: gsa('new') })
      await known(metadatad, ip, gsa('new'))

      const last = await connection.ask(TOKEN)
      t.equal(last.status, 503, 'the old connection belongs to the old pod')
      t.equal(last.headers.connection, 'close')
      const { access_token } = JSON.parse((await connection.askPatiently(TOKEN)).body)
      t.equal(connection.ports.size, 2)
      t.match(sandbox.google.inspect(access_token), { identity: gsa('new'), podUid: newUid })
      t.equal(await identityOf(metadatad, ip), gsa('new'))
    },
  )
}

t.test('while two pods claim one address, neither is answered', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { host } = metadatad
  const ip = '127.0.6.4'
  metadatad.pod(ip, 'first', { email: gsa('first') })
  t.equal(await identityOf(metadatad, ip), gsa('first'))
  metadatad.pod(ip, 'second', { email: gsa('second') })
  const ambiguous = await eventually(
    () => ask(host, TOKEN, { ip }),
    ({ status }) => status !== 200,
  )
  t.equal(ambiguous.status, 503)
  t.match(ambiguous.body, 'More than one pod')
  metadatad.sandbox.kubernetes.removePod('ns', 'first')
  t.equal(await identityOf(metadatad, ip), gsa('second'))
})

t.test('a deleted pod is answered until its sandbox is gone, and then forgotten', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host, daemon } = metadatad
  const ip = '127.0.6.5'
  metadatad.pod(ip, 'leaving', { email: gsa('leaving') })
  t.equal(await identityOf(metadatad, ip), gsa('leaving'))
  sandbox.kubernetes.deletePod('ns', 'leaving')
  t.equal((await ask(host, TOKEN, { ip })).status, 200)
  sandbox.kubernetes.removePod('ns', 'leaving')
  const gone = await eventually(
    () => ask(host, TOKEN, { ip }),
    ({ status }) => status !== 200,
  )
  t.equal(gone.status, 503)
  t.match(gone.body, 'does not know which pod is calling')
  const held = await eventually(
    async () => (await daemon.metrics.credentials.get()).values[0]?.value,
    (credentials) => credentials === 0,
  )
  t.equal(held, 0, 'its credentials went with it')
})

t.test('a ServiceAccount that is made again is another one: nothing is kept of the first', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, logged } = metadatad
  const ip = '127.0.6.6'
  metadatad.pod(ip, 'phoenix', { email: gsa('phoenix') })
  const first = await tokenOf(metadatad, ip)
  const before = upstreamCalls(sandbox)

  sandbox.kubernetes.removeServiceAccount('ns', 'sa-phoenix')
  const missing = await eventually(
    () => ask(metadatad.host, TOKEN, { ip }),
    ({ status }) => status !== 200,
  )
  t.equal(missing.status, 503)
  t.match(missing.body, 'ServiceAccount does not exist')

  sandbox.kubernetes.applyServiceAccount('ns', 'sa-phoenix', annotated(gsa('phoenix')))
  const second = await tokenOf(metadatad, ip)
  t.not(second.access_token, first.access_token)
  const now = upstreamCalls(sandbox)
  t.ok(now.tokenRequest > before.tokenRequest && now.sts > before.sts, 'nor of what its token was made from')
  t.equal(obtained(logged, { kind: 'google-access-token', pod: 'phoenix' }).length, 2)
})

t.test('pods of other nodes and of the host network are strangers here', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host } = metadatad
  sandbox.kubernetes.applyNode('node-2')
  metadatad.pod('127.0.6.7', 'elsewhere', { email: gsa('elsewhere'), nodeName: 'node-2' })
  metadatad.pod('127.0.6.8', 'host', { email: gsa('host'), nodeName: SANDBOX_NODE, hostNetwork: true })
  // Both were created before this one, which is known.
  metadatad.pod('127.0.6.9', 'here', { email: gsa('here') })
  t.equal(await identityOf(metadatad, '127.0.6.9'), gsa('here'))
  for (const ip of ['127.0.6.7', '127.0.6.8']) {
    const { status, body } = await ask(host, TOKEN, { ip })
    t.equal(status, 503)
    t.match(body, 'does not know which pod is calling')
  }
})

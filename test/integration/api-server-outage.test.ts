import t from 'tap'
import { request } from 'undici'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { keptAlive } from '../support/kept-alive.ts'
import { gsa, identityOf, TOKEN, tokenOf } from '../support/pod-questions.ts'
import { type Metadatad, startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'

// They wait most of the time.
t.jobs = 5

/** Requests are held for 0.9 s, and pods confirmed within some time, however much of it the machine sleeps through. */
const clock = new SteadyClock()

async function admin(metadatad: Metadatad, path: string): Promise<{ status: number; body: string }> {
  const answer = await request(`${metadatad.adminUrl}${path}`)
  return { status: answer.statusCode, body: await answer.body.text() }
}

async function staleness(metadatad: Metadatad, resource: string): Promise<number> {
  const { body } = await admin(metadatad, '/metrics')
  const line = new RegExp(`^metadatad_watch_staleness_seconds\\{resource="${resource}"\\} (\\S+)$`, 'm')
  return Number(line.exec(body)?.[1])
}

t.test(
  'a daemon that starts before the API server waits, says for what, and then serves',
  { buffered: true },
  async (t) => {
    await using metadatad = await startMetadatad({
      clock,
      prepare({ kubernetes }) {
        kubernetes.outage = true
      },
    })
    const { sandbox, host } = metadatad
    const ip = '127.0.7.1'
    metadatad.pod(ip, 'early', { email: gsa('early') })

    t.same(await admin(metadatad, '/healthz'), { status: 200, body: 'ok\n' })
    const waiting = await eventually(
      () => admin(metadatad, '/readyz'),
      ({ body }) => body.includes('list pods') || body.includes('watch pods'),
    )
    t.equal(waiting.status, 503)
    t.match(waiting.body, /^pods: no complete list from the API server yet: .+$/m)
    t.match(waiting.body, /^service accounts: no complete list from the API server yet/m)
    t.match((await admin(metadatad, '/metrics')).body, /^metadatad_ready 0$/m)

    const held = await ask(host, TOKEN, { ip })
    t.equal(held.status, 503)
    t.match(held.headers['retry-after'], /^[1-9]\d*$/)
    t.match(
      held.body,
      /(cannot confirm with the Kubernetes API|could not find out in time) which pod is calling/,
    )
    // What libraries look at to find out whether they are on Google Cloud does not depend on the cluster.
    for (const path of ['/', '/computeMetadata/v1/instance', '/computeMetadata/v1/project/project-id']) {
      t.equal((await ask(host, path, { ip })).status, 200, path)
    }

    sandbox.kubernetes.outage = false
    t.equal(await identityOf(metadatad, ip), gsa('early'))
    const ready = await eventually(
      () => admin(metadatad, '/readyz'),
      ({ status }) => status === 200,
    )
    t.equal(ready.body, 'ready\n')
    t.match((await admin(metadatad, '/metrics')).body, /^metadatad_ready 1$/m)
  },
)

t.test(
  'while the API server is away, what is known is served and its age told',
  { buffered: true },
  async (t) => {
    await using metadatad = await startMetadatad({ clock })
    const { sandbox, host } = metadatad
    const ip = '127.0.7.2'
    metadatad.pod(ip, 'known', { email: gsa('known') })
    using connection = keptAlive(host, ip)
    const { access_token } = JSON.parse((await connection.askPatiently(TOKEN)).body)

    sandbox.kubernetes.outage = true
    metadatad.pod('127.0.7.3', 'unheard', { email: gsa('unheard') })
    const ages: number[] = []
    for (const resource of ['pods', 'serviceaccounts']) {
      const first = await staleness(metadatad, resource)
      ages.push(
        await eventually(
          () => staleness(metadatad, resource),
          (age) => age > first,
        ),
      )
    }
    t.equal(ages.length, 2)
    for (const answer of [await connection.ask(TOKEN), await ask(host, TOKEN, { ip })]) {
      t.equal(answer.status, 200)
      t.equal(JSON.parse(answer.body).access_token, access_token)
    }
    // Other scopes need a call of the cloud, but none of the API server: the federated token is there.
    const scoped = await tokenOf(metadatad, ip, `${TOKEN}?scopes=https://www.googleapis.com/auth/bigquery`)
    t.match(sandbox.google.inspect(scoped.access_token), { identity: gsa('known') })

    const unheard = await ask(host, TOKEN, { ip: '127.0.7.3' })
    t.equal(unheard.status, 503)
    t.match(unheard.headers['retry-after'], /^[1-9]\d*$/)

    sandbox.kubernetes.outage = false
    t.equal(await identityOf(metadatad, '127.0.7.3'), gsa('unheard'))
  },
)

t.test(
  'a pod that cannot be confirmed in time is refused a new connection, and only that',
  { buffered: true },
  async (t) => {
    await using metadatad = await startMetadatad({ clock, flags: { 'caller.confirmWithin': '1s' } })
    const { sandbox, host } = metadatad
    const ip = '127.0.7.4'
    metadatad.pod(ip, 'unconfirmed', { email: gsa('unconfirmed') })
    using connection = keptAlive(host, ip)
    t.equal((await connection.askPatiently(TOKEN)).status, 200)
    sandbox.kubernetes.outage = true
    const refused = await eventually(
      () => ask(host, TOKEN, { ip }),
      ({ status }) => status !== 200,
    )
    t.equal(refused.status, 503)
    t.match(refused.body, 'cannot confirm with the Kubernetes API')
    t.equal((await connection.ask(TOKEN)).status, 200, 'the connection was confirmed when it was made')
    t.equal(connection.ports.size, 1)
    sandbox.kubernetes.outage = false
    t.equal(await identityOf(metadatad, ip), gsa('unconfirmed'))
  },
)

t.test('the operator may have unconfirmed pods served', { buffered: true }, async (t) => {
  await using metadatad = await startMetadatad({
    clock,
    flags: { 'caller.confirmWithin': '0s', 'caller.serveUnconfirmed': 'true' },
  })
  const { sandbox, host } = metadatad
  const ip = '127.0.7.5'
  metadatad.pod(ip, 'trusted', { email: gsa('trusted') })
  const { access_token } = await tokenOf(metadatad, ip)
  sandbox.kubernetes.outage = true
  const { status, body } = await ask(host, TOKEN, { ip })
  t.equal(status, 200)
  t.equal(JSON.parse(body).access_token, access_token)
})

t.test('what changed while the API server was away holds from its return', { buffered: true }, async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host } = metadatad
  const ip = '127.0.7.6'
  metadatad.pod(ip, 'before', { email: gsa('before') })
  t.equal(await identityOf(metadatad, ip), gsa('before'))
  sandbox.kubernetes.outage = true
  sandbox.kubernetes.removePod('ns', 'before')
  metadatad.pod(ip, 'after', { email: gsa('after') })
  sandbox.kubernetes.compact()
  sandbox.kubernetes.outage = false
  const seen: (string | undefined)[] = []
  await eventually(
    async () => {
      const { status, body } = await ask(host, TOKEN, { ip })
      if (status === 200) seen.push(sandbox.google.inspect(JSON.parse(body).access_token)?.identity)
      return seen.at(-1)
    },
    (identity) => identity === gsa('after'),
  )
  t.strictSame(
    [...new Set(seen)].filter((identity) => identity !== gsa('before')),
    [gsa('after')],
  )
  t.equal(await identityOf(metadatad, ip), gsa('after'))
})

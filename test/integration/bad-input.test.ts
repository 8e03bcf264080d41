import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { isServiceAccountEmail } from '../../src/identity/service-account-email.ts'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { askPatiently, EMAIL, gsa, identityOf, TOKEN, tokenOf } from '../support/pod-questions.ts'
import { dial, drain, exchange } from '../support/raw.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { counted } from '../support/traffic.ts'
import { BAD_REQUESTS } from './bad-requests.ts'

// The slow client is waited for while the others are at work.
t.jobs = 4

/** What the watch has shown is asked about again after half a minute, which a slow machine may need here. */
const clock = new SteadyClock()

const HEADERS = 'Host: metadata\r\nMetadata-Flavor: Google\r\n'

function statuses(answers: string): number[] {
  return [...answers.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]))
}

t.test(
  'each malformed request gets the answer that it should, and no token',
  { buffered: true },
  async (t) => {
    await using metadatad = await startMetadatad({ clock })
    const { daemon, host } = metadatad
    const ip = '127.0.10.1'
    metadatad.pod(ip, 'clumsy', { email: gsa('clumsy') })
    const { access_token } = await tokenOf(metadatad, ip)
    for (const { name, bytes, answers } of BAD_REQUESTS) {
      const received = await exchange(host, ip, bytes)
      t.strictSame(statuses(received), answers, name)
      t.notOk(received.includes(access_token), name)
    }
    t.equal(await identityOf(metadatad, ip), gsa('clumsy'), 'the listener lives')
    await eventually(
      () => counted(daemon.metrics.connections, {}),
      (open) => open === 0,
    )
  },
)

t.test(
  'a hundred requests at once on one connection are answered in their order',
  { buffered: true },
  async (t) => {
    await using metadatad = await startMetadatad({ clock })
    const { host } = metadatad
    const ip = '127.0.10.2'
    metadatad.pod(ip, 'hasty', { email: gsa('hasty') })
    const { access_token } = await tokenOf(metadatad, ip)
    const paths = [TOKEN, EMAIL, '/computeMetadata/v1/project/project-id', '/computeMetadata/v1/nothing']
    const requests = Array.from({ length: 100 }, (_, n) => {
      const last = n === 99 ? 'Connection: close\r\n' : ''
      return `GET ${paths[n % 4]} HTTP/1.1\r\n${HEADERS}${last}\r\n`
    })
    const answers = (await exchange(host, ip, requests.join(''))).split(/(?=HTTP\/1\.1 )/)
    t.equal(answers.length, 100)
    for (const [n, answer] of answers.entries()) {
      const expected = [access_token, gsa('hasty'), 'demo-project', 'Not Found'][n % 4]!
      t.ok(answer.includes(expected), `answer ${n}`)
    }
  },
)

t.test('a client that ends its side is still answered', { buffered: true }, async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { host } = metadatad
  const ip = '127.0.10.3'
  metadatad.pod(ip, 'terse', { email: gsa('terse') })
  await tokenOf(metadatad, ip)
  const socket = await dial(host, ip)
  const answer = drain(socket)
  socket.end(`GET ${EMAIL} HTTP/1.1\r\n${HEADERS}\r\n`)
  t.match(await answer, new RegExp(`^HTTP/1.1 200 OK\r\n[^]*\r\n\r\n${gsa('terse')}$`))

  const silent = await dial(host, ip)
  silent.end()
  t.equal(await drain(silent), '')
  const halfway = await dial(host, ip)
  halfway.end(`GET ${EMAIL} HTTP/1.1\r\nHost: meta`)
  t.match(await drain(halfway), /^(?:HTTP\/1\.1 400 |$)/)
})

t.test('slow clients are cut off while others are served', { buffered: true }, async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { host } = metadatad
  const ip = '127.0.10.4'
  metadatad.pod(ip, 'slow', { email: gsa('slow') })
  await tokenOf(metadatad, ip)
  const starts = ['', 'G', `GET ${TOKEN} HTTP/1.1\r\nHost: metadata\r\nX-`]
  const slow = await Promise.all(
    starts.map(async (start) => {
      const socket = await dial(host, ip)
      if (start !== '') socket.write(start)
      // A byte of a header a second: never silent, and never done.
      const drip = setInterval(() => {
        if (start.length > 1 && socket.writable) socket.write('a')
      }, 1_000)
      return { ended: drain(socket).finally(() => clearInterval(drip)) }
    }),
  )
  t.equal((await ask(host, TOKEN, { ip })).status, 200)
  for (const [i, { ended }] of slow.entries()) {
    t.match(await ended, /^(?:HTTP\/1\.1 408 |$)/, `begins with ${JSON.stringify(starts[i])}`)
  }
  t.equal((await ask(host, TOKEN, { ip })).status, 200)
})

/** Anything at all, and what is nearly right. */
const annotationValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 50,
  }),
  fc.constantFrom('', ' ', '\0', '__proto__', 'a'.repeat(4_000), `${'a'.repeat(300)}@b.c`, 'null', '{}'),
  fc
    .tuple(
      fc.constantFrom('a', 'A', 'a/../b', 'a%2f', 'a\r\nX: y', 'ä', 'a b'),
      fc.constantFrom('', '\n', '.', '\0'),
    )
    .map(([name, end]) => `${name}@demo-project.iam.gserviceaccount.com${end}`),
)

t.test(
  'annotations of any bytes are taken as they are meant or refused in plain words',
  { buffered: true },
  async (t) => {
    await using metadatad = await startMetadatad({ clock })
    const { sandbox, host, logged } = metadatad
    const [ip, marker] = ['127.0.10.5', '127.0.10.6']
    metadatad.pod(ip, 'odd', { email: gsa('odd') })
    metadatad.pod(marker, 'marker', { email: gsa('marker') })
    await tokenOf(metadatad, ip)
    await tokenOf(metadatad, marker)
    let round = 0

    await fc.assert(
      fc.asyncProperty(annotationValue, annotationValue, annotationValue, async (email, quota, principal) => {
        sandbox.kubernetes.applyServiceAccount('ns', 'sa-odd', {
          'iam.gke.io/gcp-service-account': email,
          ...(quota.length % 2 === 0 && { 'iam.gke.io/credential-quota-project': quota }),
          'iam.gke.io/return-principal-id-as-email': principal,
          [`example.com/${principal}`]: quota,
        })
        // Events come in their order: when the marker's has arrived, the one before it has.
        const sign = gsa(`marker-${round++}`)
        sandbox.kubernetes.applyServiceAccount('ns', 'sa-marker', { 'iam.gke.io/gcp-service-account': sign })
        await eventually(
          () => ask(host, EMAIL, { ip: marker }),
          ({ body }) => body === sign,
        )

        const { status, body } = await askPatiently(metadatad, ip, EMAIL)
        if (status === 200) return body === email && isServiceAccountEmail(email)
        const token = await askPatiently(metadatad, ip, TOKEN)
        return (
          status === 403 &&
          token.status === 403 &&
          /^The annotation iam\.gke\.io\/[\x20-\x7e]{1,400}\n$/.test(body) &&
          body === token.body
        )
      }),
      { numRuns: 150 },
    )
    t.equal(round, 150)
    t.notOk(logged.some(({ level }) => level === 'error'))
    t.equal((await ask(host, '/computeMetadata/v1/project/project-id', { ip })).status, 200)
  },
)

t.test('an annotation too long to be kept is refused, not taken for none', { buffered: true }, async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host } = metadatad
  const ip = '127.0.10.7'
  metadatad.pod(ip, 'wordy', { email: gsa('wordy') })
  await tokenOf(metadatad, ip)
  sandbox.kubernetes.applyServiceAccount('ns', 'sa-wordy', {
    'iam.gke.io/gcp-service-account': `${'a'.repeat(100_000)}@demo-project.iam.gserviceaccount.com`,
  })
  const { status, body } = await eventually(
    () => ask(host, EMAIL, { ip }),
    (answer) => answer.body !== gsa('wordy'),
  )
  t.equal(status, 403, body)
})

/** A leak of 250 bytes a request, the least that one could be, would be twice this. */
const GROWTH_BYTES = 1024 * 1024
const REQUESTS = 8_000

t.test('bad requests leave nothing behind in memory', { buffered: true }, async (t) => {
  const program = new URL('bad-input-memory.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    program,
    String(Math.ceil(REQUESTS / BAD_REQUESTS.length)),
  ])
  const { requests, growth, openConnections } = JSON.parse(stdout)
  t.ok(requests >= REQUESTS)
  t.equal(openConnections, 0)
  t.ok(growth < GROWTH_BYTES, `${growth} bytes after ${requests} requests`)
})

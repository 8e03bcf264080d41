import t from 'tap'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'

const EMAIL = '/computeMetadata/v1/instance/service-accounts/default/email'
const email = 'x@demo-project.iam.gserviceaccount.com'

t.test('a caller that is held while the daemon stops is still woken by the watch', async (t) => {
  // A caller is held for 0.9 s: what is shown here must not depend on how much of that the machine sleeps through.
  await using metadatad = await startMetadatad({ clock: new SteadyClock() })
  const { daemon, host } = metadatad
  // The first is answered only when the cluster is known.
  metadatad.pod('127.0.1.1', 'known', { email })
  t.equal((await ask(host, EMAIL, { ip: '127.0.1.1' })).status, 200)
  const connections = async () => (await daemon.metrics.connections.get()).values[0]?.value
  await eventually(connections, (open) => open === 0)
  const held = ask(host, EMAIL, { ip: '127.0.1.2' })
  await eventually(connections, (open) => open === 1)
  const stopped = daemon.stop()
  await new Promise((resolve) => setImmediate(resolve))
  metadatad.pod('127.0.1.2', 'late', { email })
  const answer = await held
  t.equal(answer.status, 200, answer.body)
  await stopped
})

t.test('who asks twice for the end waits for it twice', async (t) => {
  await using metadatad = await startMetadatad()
  const { daemon, host } = metadatad
  const first = daemon.stop()
  await daemon.stop()
  await t.rejects(ask(host, '/'), { code: 'ECONNREFUSED' })
  const waiting = Symbol('waiting')
  t.not(await Promise.race([first, Promise.resolve(waiting)]), waiting)
})

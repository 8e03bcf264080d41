import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { CallerSession, Connection } from '../../../src/caller/caller.ts'
import { createIdentifier } from '../../../src/caller/identifier.ts'
import { LiveReader } from '../../../src/caller/live-reader.ts'
import { PodIndex } from '../../../src/caller/pod-index.ts'
import { openHostView } from '../../../src/caller/proof/host-view.ts'
import { createProofStrategy } from '../../../src/caller/proof/proof-strategy.ts'
import { ServiceAccountIndex } from '../../../src/caller/service-account-index.ts'
import type { Pod } from '../../../src/kubernetes/types.ts'
import { canonicalAddress } from '../../../src/lib/address.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { type Deadline, deadlineIn } from '../../../src/lib/deadline.ts'
import type { MetadatadError } from '../../../src/lib/errors.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { createMetrics } from '../../../src/lib/metrics.ts'
import { serviceAccount } from '../build.ts'

/**
 * The daemon's side of the tests with real namespaces, run inside the node's: answers every line sent to one of the given
 * addresses with the name of the pod that sent it, or with the error's code. The API server is what the parent says:
 * `{watch: pod}`, `{gone: name}`, each answered by a line.
 *
 * A question is held for `holdMs`; unless `strict`, until it was looked for in the kernel once at least, for which a starved
 * machine may need longer: what tests ask is what comes of that.
 */
const [cgroupRoot = '', holdMs = '', patience = '', ...addresses] = process.argv.slice(2)
const clock = systemClock
const metrics = createMetrics()
const host = await openHostView({ procRoot: '/proc', cgroupRoot })
if (host === undefined) {
  process.stdout.write('no host view\n')
  process.exit(0)
}
const pods = new PodIndex()
const serviceAccounts = new ServiceAccountIndex({
  clock,
  read: async (_namespace, name) => serviceAccount(name),
})
const reader = new LiveReader({
  clock,
  metrics,
  list: async () => [...pods.keys()].map((key) => watched.get(key)!),
})
const watched = new Map<string, Pod>()
const strategy = createProofStrategy({
  mode: 'prefer',
  host,
  pods,
  reader,
  sandboxedRuntimes: [],
  clock,
  metrics,
  log: silentLog,
})
/** What is called at the end of a look for the connection. */
const looked = new WeakMap<Connection, () => void>()
const identifier = createIdentifier({
  strategies: [
    {
      ...strategy,
      identify: (attempt) => strategy.identify(attempt).finally(() => looked.get(attempt.connection)?.()),
    },
  ],
  pods,
  serviceAccounts,
  mark: () => reader.mark(),
  clock,
  metrics,
})

function hold(connection: Connection): Deadline {
  const deadline = deadlineIn(clock, Number(holdMs))
  if (patience === 'strict') return deadline
  const look = Promise.withResolvers<void>()
  const over = new AbortController()
  looked.set(connection, look.resolve)
  deadline.signal.addEventListener('abort', async () => {
    await look.promise
    // Who waits for the look hears of its outcome before.
    setImmediate(() => over.abort())
  })
  return { at: deadline.at, signal: over.signal, [Symbol.dispose]: () => deadline[Symbol.dispose]() }
}

async function answer(connection: Connection, session: CallerSession): Promise<string> {
  using deadline = hold(connection)
  try {
    return (await session.identify(deadline)).pod.name
  } catch (error) {
    return (error as MetadatadError).code
  }
}

for (const address of addresses) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const local = { address: canonicalAddress(socket.localAddress!)!, port: socket.localPort! }
    const connection: Connection = {
      remoteAddress: canonicalAddress(socket.remoteAddress!)!,
      remotePort: socket.remotePort!,
      localAddress: local.address,
      localPort: local.port,
      dialled: [local],
      openedAt: clock.now(),
    }
    const session = identifier.open(connection)
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', () => {
      void answer(connection, session).then((said) => socket.write(`${said}\n`))
    })
  })
  server.listen({ host: address, port: 80, backlog: 4096 })
  await once(server, 'listening')
}
process.stdout.write('listening\n')

for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line)
  if (said.watch !== undefined) {
    watched.set(`ns/${said.watch.name}`, said.watch)
    serviceAccounts.use(`ns/${said.watch.serviceAccountName}`)
    serviceAccounts.upsert(serviceAccount(said.watch.serviceAccountName))
    pods.upsert(said.watch)
  } else {
    pods.remove(`ns/${said.gone}`)
  }
  process.stdout.write('done\n')
}
process.exit(0)

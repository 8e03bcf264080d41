// Measures what bad requests leave in the heap of the daemon, in a process of its own; prints it. Run by
// bad-input.test.ts with --expose-gc and the number of rounds.
import { eventually } from '../support/eventually.ts'
import { gsa, tokenOf } from '../support/pod-questions.ts'
import { exchange } from '../support/raw.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { counted } from '../support/traffic.ts'
import { BAD_REQUESTS } from './bad-requests.ts'

const ROUNDS = Number(process.argv[2])
/** Everything lazy is there after so many: compiled functions, caches of fixed size, label sets. */
const WARM_UP_ROUNDS = 30
const IP = '127.0.10.20'

await using metadatad = await startMetadatad()
const { daemon, host } = metadatad
metadatad.pod(IP, 'clumsy', { email: gsa('clumsy') })
await tokenOf(metadatad, IP)

async function round(): Promise<void> {
  await Promise.all(BAD_REQUESTS.map(({ bytes }) => exchange(host, IP, bytes)))
}

async function settledHeap(): Promise<{ bytes: number; openConnections: number }> {
  const openConnections = await eventually(
    () => counted(daemon.metrics.connections, {}),
    (open) => open === 0,
  )
  // What the test itself keeps of the log is not the daemon's.
  ;(metadatad.logged as unknown[]).length = 0
  for (let i = 0; i < 4; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return { bytes: heapUsed + external, openConnections }
}

for (let i = 0; i < WARM_UP_ROUNDS; i++) await round()
const before = await settledHeap()
for (let i = 0; i < ROUNDS; i++) await round()
const after = await settledHeap()
process.stdout.write(
  JSON.stringify({
    requests: ROUNDS * BAD_REQUESTS.length,
    growth: after.bytes - before.bytes,
    openConnections: after.openConnections,
  }),
)

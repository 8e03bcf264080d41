import { parseArgs } from 'node:util'
import { MemoryHost } from '../caller/proof/memory-host.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { runHistories } from './pod-histories.ts'
import { runProofHistories } from './proof-histories.ts'

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '100000' },
    answered: { type: 'string', default: '0,0,0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'confirm-within': { type: 'string', default: '0' },
    'read-lag-ms': { type: 'string', default: '0' },
    proof: { type: 'boolean', default: false },
    faults: { type: 'string', default: 'on' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(
    'npm run histories -- [--pods N] [--answered N,N,N] [--seed N] [--confirm-within 0|30s] [--read-lag-ms N] [--faults on|off] [--proof]\n' +
      'Lets N generated pods live and die on few addresses and counts wrong identities. Exit code 1 if there was one.\n' +
      'With --answered more of them do, until so many requests of Google, AWS and Azure were answered.\n' +
      'With --proof the kernel of a made-up host says who calls, and every lag and fault leaves 0.\n',
  )
  process.exit(0)
}
process.stdout.write(`seed ${values.seed}\n`)
const PROOF = {
  'caller.proof': 'prefer',
  'caller.cgroupRoot': '/cgroup',
  // The sockets of pods show what they dialled, so it is fixed beforehand.
  'listen.metadata': `127.0.0.1:${20_000 + (process.pid % 10_000)}`,
}
const host = new MemoryHost()
host.quick = true
await using metadatad = await startMetadatad({
  flags: {
    'caller.confirmWithin': values['confirm-within'],
    'credentials.prefetch': 'false',
    ...(values.proof ? PROOF : {}),
  },
  ...(values.proof ? { hostFiles: host } : {}),
})
metadatad.sandbox.kubernetes.readLagMs = Number(values['read-lag-ms'])
const startedAt = performance.now()
const [google = 0, aws = 0, azure = 0] = values.answered.split(',').map(Number)
const options = {
  pods: Number(values.pods),
  answered: { google, aws, azure },
  seed: Number(values.seed),
  faults: values.faults === 'on',
  progress: (done: number) => process.stdout.write(`${done} pods\n`),
}
const result = values.proof
  ? await runProofHistories(metadatad, host, options)
  : await runHistories(metadatad, options)
const { wrong, failed, ...counts } = result
const seconds = Math.round((performance.now() - startedAt) / 1000)
process.stdout.write(
  `${JSON.stringify({ ...counts, wrong: wrong.length, failed: failed.length, seconds })}\n`,
)
for (const line of [...wrong.slice(0, 10), ...failed.slice(0, 10)]) process.stdout.write(`${line}\n`)
process.exitCode = wrong.length + failed.length > 0 ? 1 : 0

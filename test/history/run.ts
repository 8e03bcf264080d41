import { parseArgs } from 'node:util'
import { startMetadatad } from '../support/start-metadatad.ts'
import { runHistories } from './pod-histories.ts'

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'confirm-within': { type: 'string', default: '0' },
    'read-lag-ms': { type: 'string', default: '0' },
    faults: { type: 'string', default: 'on' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(
    'npm run histories -- [--pods N] [--seed N] [--confirm-within 0|30s] [--read-lag-ms N] [--faults on|off]\n' +
      'Lets N generated pods live and die on few addresses and counts wrong identities. Exit code 1 if there was one.\n',
  )
  process.exit(0)
}
process.stdout.write(`seed ${values.seed}\n`)
await using metadatad = await startMetadatad({
  flags: { 'caller.confirmWithin': values['confirm-within'], 'credentials.prefetch': 'false' },
})
metadatad.sandbox.kubernetes.readLagMs = Number(values['read-lag-ms'])
const startedAt = performance.now()
const result = await runHistories(metadatad, {
  pods: Number(values.pods),
  seed: Number(values.seed),
  faults: values.faults === 'on',
  progress: (done) => process.stdout.write(`${done} pods\n`),
})
const { wrong, failed, ...counts } = result
const seconds = Math.round((performance.now() - startedAt) / 1000)
process.stdout.write(
  `${JSON.stringify({ ...counts, wrong: wrong.length, failed: failed.length, seconds })}\n`,
)
for (const line of [...wrong.slice(0, 10), ...failed.slice(0, 10)]) process.stdout.write(`${line}\n`)
process.exitCode = wrong.length + failed.length > 0 ? 1 : 0

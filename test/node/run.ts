import { spawnSync } from 'node:child_process'
import { inspect, parseArgs } from 'node:util'
import { ensurePrograms } from '../cluster/programs/ensure-programs.ts'
import { cannotNamespace } from '../support/net-namespace.ts'
import { hierarchies } from './lab/hierarchies.ts'
import { createPlace } from './place.ts'
import { ensureClientImage } from './prepare/ensure-client-image.ts'
import { ensureDaemonImage } from './prepare/ensure-daemon-image.ts'
import { ensureRuntime } from './prepare/ensure-runtime.ts'
import { runLab } from './run-lab.ts'
import { SCENARIOS } from './scenarios.ts'

// npm run test:node [-- --only NAME,… --image FILE]: the manifests on a real cluster of two nodes, each a kubelet and a containerd in
// namespaces of their own, with pods whose first instruction asks for their identity. Needs root, Go, nft, ip, buildah and
// mmdebstrap. FILE is an archive of the daemon's image, to be used instead of building one. The last line is `N passed, N failed,
// N skipped` scenarios; the exit code is 0 only if every row is as it must be.

const { values: options } = parseArgs({ options: { only: { type: 'string' }, image: { type: 'string' } } })
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(new Error(signal)))
const say = (line: string) => process.stderr.write(`${line}\n`)

const cannot =
  cannotNamespace('nft', 'unshare', 'mmdebstrap', 'buildah') ||
  (spawnSync('go', ['version']).error !== undefined && 'Go is not installed') ||
  (!hierarchies().includes('unified') &&
    'the cgroup controllers of version 1, and a unified hierarchy beside them, are not mounted')
if (cannot) {
  say(`skip   two real nodes: ${cannot}`)
  process.stdout.write(`0 passed, 0 failed, ${SCENARIOS.length} skipped\n`)
  process.exit(0)
}

const only = options.only?.split(',') ?? SCENARIOS.map(({ name }) => name)
for (const name of only)
  if (!SCENARIOS.some((it) => it.name === name)) {
    say(`there is no ${name}, only ${SCENARIOS.map((it) => it.name).join(', ')}`)
    process.exit(2)
  }
// The first sets up what the others need.
const names = SCENARIOS.map(({ name }) => name).filter((name, i) => i === 0 || only.includes(name))

try {
  const daemon = options.image ?? (await ensureDaemonImage(say))
  const images = [await ensureClientImage(say), daemon]
  const runtime = await ensureRuntime(say)
  const programs = await ensurePrograms(
    ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'],
    say,
  )
  await using place = await createPlace()
  const { directory, cgroup } = place
  const task = { place: { directory, cgroup }, ingredients: { programs, runtime, images }, names }
  process.exitCode = (await runLab(task, stop.signal)) ? 0 : 1
} catch (err) {
  say(stop.signal.aborted ? `ended by ${stop.signal.reason.message}` : inspect(err))
  process.stdout.write(`0 passed, ${names.length} failed, 0 skipped\n`)
  process.exitCode = 1
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { cannotRender } from '../manifests/support.ts'
import { buildFullWatch } from './big/build-full-watch.ts'
import { cannotBuild } from './programs/cannot-build.ts'
import { ensurePrograms } from './programs/ensure-programs.ts'
import { runRows } from './run-rows.ts'
import type { Finding } from './scenario.ts'
import { bigCluster } from './scenarios/big-cluster.ts'
import { SCENARIOS } from './scenarios.ts'
import { Suite } from './suite.ts'
import { TooSlow } from './too-slow.ts'

// npm run test:cluster [-- --only NAME,…] [--keep-logs]: the daemon against a real kube-apiserver and etcd on loopback, which are
// built first. The last line is `N passed, N failed, N skipped` scenarios; the exit code is 0 only if every row is as it must be.

const LIMIT_MS = 120_000
/** For what a scenario that took too long does at its end. */
const UNWIND_MS = 40_000

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, 'keep-logs': { type: 'boolean', default: false } },
})
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(new Error(signal)))
const say = (text: string) => process.stderr.write(`${text}\n`)

const names = options.only?.split(',') ?? SCENARIOS.map(({ name }) => name)
for (const name of names)
  if (!SCENARIOS.some((it) => it.name === name)) {
    say(`there is no ${name}, only ${SCENARIOS.map((it) => it.name).join(', ')}`)
    process.exit(2)
  }

const cannot = cannotBuild() || cannotRender
if (cannot) {
  say(`skip   a real cluster: ${cannot}`)
  process.stdout.write(`0 passed, 0 failed, ${names.length} skipped\n`)
  process.exit()
}
const programs = await ensurePrograms(['etcd', 'kube-apiserver', 'kube-controller-manager'], say)
// The first time it takes minutes, which are not the scenario's.
if (names.includes(bigCluster.name)) await buildFullWatch(programs)

const directory = await mkdtemp(join(tmpdir(), 'metadatad-cluster-'))
try {
  await using suite = await Suite.start(programs, directory)
  const passed = await runRows({
    names,
    signal: stop.signal,
    say,
    async run(name, attempt) {
      const scenario = SCENARIOS.find((it) => it.name === name)!
      let running: Promise<Finding> | undefined
      try {
        await using world = await suite.world(attempt === 1 ? name : `${name}-${attempt}`)
        const { limitMs = LIMIT_MS } = scenario
        const limit = AbortSignal.any([stop.signal, AbortSignal.timeout(limitMs)])
        const late = setTimeout(2 ** 30, undefined, { signal: limit, ref: false }).catch(() => {
          throw stop.signal.aborted ? stop.signal.reason : new TooSlow(limitMs)
        }) as Promise<never>
        running = scenario.run(world)
        return await Promise.race([running, late])
      } finally {
        // One that took too long is still under way. The end of its daemons ends it, and it mends what it did to the cluster: the next
        // one would meet a stopped API server, or clouds that trust another.
        const ended = running?.catch(() => {})
        if (!stop.signal.aborted)
          await Promise.race([ended, setTimeout(UNWIND_MS, undefined, { ref: false })])
      }
    },
  })
  process.exitCode = passed && !stop.signal.aborted ? 0 : 1
} finally {
  if (options['keep-logs']) say(`logs: ${directory}`)
  else await rm(directory, { recursive: true, force: true })
}
// What a scenario that failed left running has nothing to say any more.
process.exit()

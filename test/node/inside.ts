import assert from 'node:assert/strict'
import { runRows } from '../cluster/run-rows.ts'
import type { Place } from './place.ts'
import { runProgram } from './run-program.ts'
import { SCENARIOS } from './scenarios.ts'
import { createWorld, type Ingredients } from './world.ts'

/** What the process in the namespaces is asked to do. */
export interface Task {
  readonly place: Place
  readonly ingredients: Ingredients
  readonly names: readonly string[]
}

// `inside.ts JSON`, as the first process of namespaces of its own (processes, mounts, network): builds the cluster, lets scenarios
// happen to it, and prints their table. Everything that it started ends with it. Its exit code is 0 if every row is as it must be,
// 1 if not, and another one if there is no table.

const { place, ingredients, names } = JSON.parse(process.argv[2]!) as Task
process.once('disconnect', () => process.exit(3))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(3))
process.setUncaughtExceptionCaptureCallback((err) => {
  process.stderr.write(`${err instanceof Error ? err.stack : String(err)}\n`)
  process.exit(3)
})
const startedAt = performance.now()
const say = (line: string) => {
  const seconds = (performance.now() - startedAt) / 1_000
  process.stderr.write(`${seconds.toFixed(1).padStart(6)} s  ${line}\n`)
}

// Network namespaces that are given names are to be this one's.
await runProgram('mount', ['-t', 'tmpfs', 'tmpfs', '/run'])
const world = await createWorld(place, ingredients, say)
const passed = await runRows({
  names,
  signal: new AbortController().signal,
  say,
  async run(name) {
    const { audit } = world.plane
    await audit.read()
    const finding = await SCENARIOS.find((it) => it.name === name)!.run(world)
    const { pods } = await world.raw.counts()
    assert.equal(pods, 0, `${pods} packets of pods came to the real metadata server`)
    return { ...finding, apiCalls: (await audit.read()).length }
  },
})
process.stdout.write('', () => process.exit(passed ? 0 : 1))

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createHealthFiles } from '../../src/admin/health-files.ts'
import { createLog, silentLog } from '../../src/lib/log.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'

function begin(t: Test, options: { directory?: string; log?: typeof silentLog } = {}) {
  const directory = options.directory ?? join(t.testdir(), 'not', 'there')
  const clock = new FakeClock()
  const state = { ready: false }
  const files = createHealthFiles({
    directory,
    ready: () => state.ready,
    clock,
    log: options.log ?? silentLog,
  })
  t.teardown(() => files.stop())
  const path = (name: string) => join(directory, name)
  /** One more look; the file system answers in its own time, so the clock is only moved on when it waits. */
  const turn = async () => {
    await eventually(
      async () => clock.pending,
      (pending) => pending === 1,
    )
    await clock.advance(2_000)
    await eventually(
      async () => clock.pending,
      (pending) => pending === 1,
    )
  }
  return { clock, state, files, path, turn }
}

t.test('live is kept fresh, and ready only while the daemon is', async (t) => {
  const { clock, state, path, turn } = begin(t)
  await turn()
  t.equal(readFileSync(path('live'), 'utf8'), `${new Date(clock.now()).toISOString()}\n`)
  t.notOk(existsSync(path('ready')))
  state.ready = true
  await turn()
  t.ok(existsSync(path('ready')))
  for (const name of ['live', 'ready']) {
    t.equal(readFileSync(path(name), 'utf8'), `${new Date(clock.now()).toISOString()}\n`)
  }
  state.ready = false
  await turn()
  t.notOk(existsSync(path('ready')))
  t.ok(existsSync(path('live')))
})

t.test('ready is removed when it stops, and when an earlier process left it', async (t) => {
  const directory = t.testdir({ ready: 'old' })
  const { state, files, path, turn } = begin(t, { directory })
  await turn()
  t.notOk(existsSync(path('ready')))
  state.ready = true
  await turn()
  t.ok(existsSync(path('ready')))
  await files.stop()
  t.notOk(existsSync(path('ready')))
  await files.stop()
})

t.test('a directory that can not be written is told once and tried again', async (t) => {
  const lines: string[] = []
  const blocked = join(t.testdir({ blocked: 'a file' }), 'blocked')
  const { turn, path } = begin(t, {
    directory: join(blocked, 'health'),
    log: createLog('info', { write: (line) => lines.push(line) }),
  })
  await turn()
  await turn()
  t.equal(lines.length, 1)
  t.match(lines[0], /"msg":"health files can not be written"/)
  rmSync(blocked)
  await mkdir(blocked)
  await turn()
  t.ok(existsSync(path('live')))
})

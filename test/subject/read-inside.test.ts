import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { readInside } from '../../src/subject/read-inside.ts'

const onLinux = process.platform === 'linux' ? {} : { skip: 'Linux only' }

/** Exchanges the directory `volume/inner` for a link to `outside` and back, as fast as it can. */
const ATTACKER = `
  const { renameSync, symlinkSync } = require('node:fs')
  const { parentPort, workerData: root } = require('node:worker_threads')
  symlinkSync(root + '/outside', root + '/link')
  parentPort.postMessage('ready')
  for (;;) {
    renameSync(root + '/volume/inner', root + '/aside')
    renameSync(root + '/link', root + '/volume/inner')
    renameSync(root + '/volume/inner', root + '/link')
    renameSync(root + '/aside', root + '/volume/inner')
  }
`

t.test(
  'a directory that is exchanged for a link while it is read never leads outside',
  onLinux,
  async (t) => {
    const root = t.testdir({ outside: { file: 'outside' }, volume: { inner: { file: 'inside' } } })
    const attacker = new Worker(ATTACKER, { eval: true, workerData: root })
    await new Promise((resolve) => attacker.once('message', resolve))
    const seen = new Map<string, number>()
    for (let i = 0; i < 3000; i += 1) {
      const got = await readInside(join(root, 'volume'), 'inner/file', 1024).catch(
        (error: Error) => error.message,
      )
      seen.set(got, (seen.get(got) ?? 0) + 1)
    }
    await attacker.terminate()
    t.notOk(seen.has('outside'), JSON.stringify([...seen]))
  },
)

t.test('the bound is exact', onLinux, async (t) => {
  const root = t.testdir({})
  await mkdir(join(root, 'v'))
  await writeFile(join(root, 'v/file'), 'x'.repeat(10))
  t.equal(await readInside(join(root, 'v'), 'file', 10), 'x'.repeat(10))
  await t.rejects(readInside(join(root, 'v'), 'file', 9), { message: 'it is too long' })
})

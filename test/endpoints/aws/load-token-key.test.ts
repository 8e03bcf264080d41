import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import t from 'tap'
import { loadTokenKey } from '../../../src/endpoints/aws/load-token-key.ts'
import { silentLog } from '../../../src/lib/log.ts'

function countingLog() {
  const warnings: string[] = []
  return { warnings, log: { ...silentLog, warn: (_: object, message: string) => warnings.push(message) } }
}

t.test('the key is made once, readable by its owner alone, and found again', async (t) => {
  const stateDir = `${t.testdir()}/made/too`
  const { log, warnings } = countingLog()
  const first = await loadTokenKey(stateDir, log)
  const second = await loadTokenKey(stateDir, log)
  t.ok(first.equals(second))
  const file = `${stateDir}/imds-token-key`
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.same(first.export(), await readFile(file))
  t.equal(first.symmetricKeySize, 32)
  t.same(await readdir(stateDir), ['imds-token-key'], 'no draft is left')
  t.same(warnings, [])
  t.notMatch(inspect(first), first.export().toString('hex'))
})

t.test('of many that start at once all have the same key', async (t) => {
  for (let round = 0; round < 10; round++) {
    const stateDir = `${t.testdirName}-${round}`
    t.teardown(() =>
      import('node:fs/promises').then((fs) => fs.rm(stateDir, { recursive: true, force: true })),
    )
    const keys = await Promise.all(Array.from({ length: 16 }, () => loadTokenKey(stateDir, silentLog)))
    t.ok(keys.every((key) => key.equals(keys[0]!)))
    t.same(await readdir(stateDir), ['imds-token-key'])
  }
})

t.test('where it can be neither read nor made there is one for the process, and a warning', async (t) => {
  const dir = t.testdir({ file: 'x' })
  await mkdir(`${dir}/a/imds-token-key`, { recursive: true })
  await mkdir(`${dir}/b`)
  await writeFile(`${dir}/b/imds-token-key`, Buffer.alloc(31))
  await mkdir(`${dir}/c`)
  await writeFile(`${dir}/c/imds-token-key`, Buffer.alloc(33))
  for (const stateDir of [`${dir}/file`, `${dir}/a`, `${dir}/b`, `${dir}/c`]) {
    const { log, warnings } = countingLog()
    const first = await loadTokenKey(stateDir, log)
    const second = await loadTokenKey(stateDir, log)
    t.notOk(first.equals(second))
    t.equal(warnings.length, 2)
  }
})

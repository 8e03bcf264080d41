import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { spawnProgram } from '../../src/intercept/spawn-program.ts'
import { eventually } from '../support/eventually.ts'

/** Runs with an `nft` of the test's own in front of PATH; nothing else in this process looks at PATH meanwhile. */
async function withNft<T>(script: string, act: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'nft-'))
  writeFileSync(join(folder, 'nft'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'nft'), 0o755)
  const before = process.env.PATH
  process.env.PATH = `${folder}:${before}`
  try {
    return await act(folder)
  } finally {
    process.env.PATH = before
  }
}

t.test('what goes in, what comes out, and how it ended', async (t) => {
  await withNft('cat; echo "$1" >&2; exit 3', async () => {
    t.strictSame(await spawnProgram('nft', ['-x'], { input: 'rules' }), {
      status: 3,
      stdout: 'rules',
      stderr: '-x\n',
    })
  })
  await withNft('exit 0', async () => {
    const unread = await spawnProgram('nft', [], { input: 'x'.repeat(1_000_000) })
    t.equal(unread.status, 0, 'input that nobody reads is no failure')
  })
})

t.test('the signal ends the program', async (t) => {
  await withNft('echo $$ > "$(dirname "$0")/pid"; exec sleep 60', async (folder) => {
    const controller = new AbortController()
    const running = spawnProgram('nft', [], { signal: controller.signal })
    await pidIn(folder)
    controller.abort(new Error('enough'))
    await t.rejects(running, { message: 'enough' })
    await gone(Number(readFileSync(join(folder, 'pid'), 'utf8')))
    await t.rejects(
      spawnProgram('nft', [], { signal: controller.signal }),
      { message: 'enough' },
      'or it is not started',
    )
  })
})

t.test('a program that prints without end is ended', async (t) => {
  await withNft('exec cat /dev/zero', async () => {
    await t.rejects(spawnProgram('nft', []), { message: /more than/ })
  })
})

t.test('a program that is not there has the code ENOENT', async (t) => {
  const before = process.env.PATH
  process.env.PATH = '/nonexistent'
  t.teardown(() => {
    process.env.PATH = before
  })
  await t.rejects(spawnProgram('nft', []), { code: 'ENOENT' })
})

async function pidIn(folder: string): Promise<void> {
  await eventually(
    async () => {
      try {
        return readFileSync(join(folder, 'pid'), 'utf8')
      } catch {
        return ''
      }
    },
    (text) => text.endsWith('\n'),
  )
}

async function gone(pid: number): Promise<void> {
  await eventually(
    async () => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    },
    (isThere) => !isThere,
  )
}

t.test('without a file descriptor left it fails, and ends nobody', async (t) => {
  const script = `
    const { openSync, closeSync } = await import('node:fs')
    const { spawnProgram } = await import(process.argv[1])
    await spawnProgram('nft', [])
    const files = []
    try { for (;;) files.push(openSync('/dev/null')) } catch {}
    const failed = await spawnProgram('nft', []).catch(({ code }) => code)
    await new Promise((resolve) => setImmediate(resolve))
    files.splice(0).forEach((file) => closeSync(file))
    const { status } = await spawnProgram('nft', [])
    console.log(failed, status)`
  const module = new URL('../../src/intercept/spawn-program.ts', import.meta.url).href
  const { stdout } = await withNft('exit 0', () =>
    promisify(execFile)('sh', [
      '-c',
      'ulimit -n 64; exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      module,
    ]),
  )
  t.equal(stdout, 'EMFILE 0\n')
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname

function main(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_NAME: 'node-1' },
  })
  return { child, stdout: text(child.stdout), stderr: text(child.stderr), exit: once(child, 'exit') }
}

t.test("the process hands over its arguments and exits with the command's code", async (t) => {
  const version = main('--version')
  t.strictSame(await version.exit, [0, null])
  t.match(await version.stdout, /^\d+\.\d+\.\d+\n$/)

  const usage = main('srve')
  t.strictSame(await usage.exit, [2, null])
  t.match(await usage.stderr, 'Did you mean serve?')
})

t.test('a long answer reaches a pipe whole before the process ends', async (t) => {
  const schema = main('config', 'schema')
  t.strictSame(await schema.exit, [0, null])
  t.match(JSON.parse(await schema.stdout), { type: 'object' })
})

t.test('a reader that goes away does not turn success into failure', async (t) => {
  const schema = main('config', 'schema')
  schema.child.stdout.destroy()
  await t.rejects(schema.stdout)
  t.strictSame(await schema.exit, [0, null])
})

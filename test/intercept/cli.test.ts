import { fileURLToPath } from 'node:url'
import t from 'tap'
import { MINIMAL_FLAGS } from '../cli/support.ts'
import { cannotNamespace, NetNamespace } from '../support/net-namespace.ts'
import { inTime } from './in-time.ts'

const skip = cannotNamespace('nft')
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

t.test('install, check, remove and print are of use to a person', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  const intercept = (action: string, ...flags: string[]) =>
    inTime(() =>
      node.run(
        process.execPath,
        [MAIN, 'intercept', action, ...MINIMAL_FLAGS, '--intercept-mode=redirect', ...flags],
        {
          env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, NODE_NAME: 'node-1' },
        },
      ),
    )

  const before = await intercept('check')
  t.equal(before.status, 1, 'not installed')
  t.match(
    before.stdout,
    /^not ok {2}the table inet metadatad is missing\n +Run `metadatad intercept install`/m,
  )

  const installed = await intercept('install')
  t.equal(installed.status, 0, installed.stderr)
  t.match(installed.stdout, /mended: the address 169\.254\.169\.252 is not on lo/)
  t.match(installed.stdout, /^installed: pods reach the daemon or nothing/m)
  t.match((await intercept('install')).stdout, /everything was in place already/)

  const check = await intercept('check', '--output=json')
  t.equal(check.status, 0)
  const { ok, findings } = JSON.parse(check.stdout) as {
    ok: boolean
    findings: { ok: boolean; what: string }[]
  }
  t.ok(ok)
  t.ok(
    findings.some(({ what }) => what.includes('169.254.169.254 port 80 arrives at 169.254.169.252 port 988')),
  )

  await node.ip('rule', 'del', 'pref', '3', 'to', '169.254.170.2')
  const drifted = await intercept('check')
  t.equal(drifted.status, 1)
  t.match(drifted.stdout, /^ok +the addresses on lo$/m)
  t.match(drifted.stdout, /^not ok {2}the policy route of 169\.254\.170\.2 is missing: blackhole$/m)

  t.match((await intercept('print')).stdout, /table inet metadatad \{/)
  t.equal((await intercept('remove')).status, 0)
  t.equal(await node.must('nft', 'list', 'ruleset'), '')

  const none = await intercept('install', '--intercept-mode=none')
  t.strictSame([none.status, none.stdout], [2, ''])
  t.match(none.stderr, /intercept\.mode is none: set it to redirect or bind/)
})

t.test('a program that is missing is named', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  const flags = [...MINIMAL_FLAGS, '--intercept-mode=redirect']
  const command = ['PATH=/nonexistent', process.execPath, MAIN, 'intercept', 'install', ...flags]
  const { status, stderr } = await node.run('env', command)
  t.equal(status, 1)
  t.match(stderr, /INTERCEPT_UNAVAILABLE: the program (nft|ip) is not on PATH \(ENOENT\)/)
})

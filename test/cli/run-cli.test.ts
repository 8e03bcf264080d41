import t from 'tap'
import { VERSION } from '../../src/cli/version.ts'
import { CONFIG_LEAVES } from '../../src/config/leaves.ts'
import { cli, MINIMAL_FLAGS } from './support.ts'

t.test('--version prints the version alone', async (t) => {
  t.strictSame(await cli(['--version']), { code: 0, stdout: `${VERSION}\n`, stderr: '' })
})

t.test('--help is enough to start, and names no command that does not work yet', async (t) => {
  const { code, stdout } = await cli(['--help'])
  t.equal(code, 0)
  for (const part of [
    'serve',
    'demo',
    'config check',
    'intercept install',
    '--config FILE',
    'METADATAD_GOOGLE_PROJECT_ID',
    'Exit codes',
  ]) {
    t.ok(stdout.includes(part), part)
  }
  t.notMatch(stdout, /explain|doctor|setup|status/)
})

t.test('serve and config check take every key as a flag', async (t) => {
  for (const command of [['serve'], ['config', 'check']]) {
    const { code, stdout } = await cli([...command, '--help'])
    t.equal(code, 0)
    for (const { flag } of CONFIG_LEAVES) if (flag !== undefined) t.ok(stdout.includes(`${flag} <`), flag)
  }
})

for (const [name, args, said] of [
  ['no command', [], 'Usage: metadatad'],
  ['half a command', ['config'], 'Usage: metadatad config'],
  ['an unknown command', ['srve'], 'Did you mean serve?'],
  ['an unknown flag', ['serve', '--google-projct-id', 'x'], 'Did you mean --google-project-id?'],
  ['a flag without its value', ['serve', '--log-level'], 'argument missing'],
  ['an argument too many', ['serve', 'now'], 'too many arguments'],
  ['an unknown format', ['config', 'check', '--output', 'xml'], 'Allowed choices are text, json'],
] as const) {
  t.test(`${name} is a usage error that says what to write`, async (t) => {
    const { code, stdout, stderr } = await cli(args)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.ok(stderr.includes(said), stderr)
  })
}

t.test('config check says what a valid configuration means', async (t) => {
  const { code, stdout, stderr } = await cli([
    'config',
    'check',
    ...MINIMAL_FLAGS,
    '--caller-confirm-within=0s',
  ])
  t.equal(code, 0)
  t.equal(stderr, '')
  const lines = stdout.split('\n')
  t.equal(lines[0], 'configuration is valid')
  t.ok(
    stdout.includes('node node-1; pods are answered at 169.254.169.252:988, the operator at 127.0.0.1:9989'),
  )
  t.ok(stdout.includes('every new connection is confirmed by a read of the API server'))
  t.ok(stdout.includes('project my-project, trusted through the provider projects/1/'))
})

t.test('config check prints one problem a line and exits 2', async (t) => {
  const dir = t.testdir({ 'c.yaml': 'google: {projectID: x}\nlog: {level: loud}\n' })
  const { code, stdout, stderr } = await cli(['config', 'check', '-c', `${dir}/c.yaml`])
  t.equal(code, 2)
  t.equal(stderr, '')
  const lines = stdout.trimEnd().split('\n')
  t.equal(lines.pop(), 'the configuration has 4 problems')
  t.equal(lines.length, 4)
  t.ok(
    lines.every((line) => line.startsWith(`${dir}/c.yaml:`)),
    'each with file and line',
  )
})

t.test('config check --output json is for programs', async (t) => {
  const good = await cli(['config', 'check', '--output=json', ...MINIMAL_FLAGS])
  t.match(JSON.parse(good.stdout), { valid: true, config: { google: { projectId: 'my-project' } } })
  const bad = await cli(['config', 'check', '--output=json', ...MINIMAL_FLAGS, '--log-level=loud'])
  t.equal(bad.code, 2)
  t.match(JSON.parse(bad.stdout), {
    valid: false,
    problems: [
      {
        key: 'log.level',
        source: '--log-level',
        message: String,
        suggestion: 'for example --log-level info',
      },
    ],
  })
})

t.test('a repeated flag makes a list', async (t) => {
  const { stdout } = await cli([
    ...['config', 'check', '--output=json', ...MINIMAL_FLAGS],
    ...['--listen-metadata', '127.0.0.1:1', '--listen-metadata', '127.0.0.1:2,127.0.0.1:3'],
  ])
  t.match(JSON.parse(stdout).config.listen.metadata, [{ port: 1 }, { port: 2 }, { port: 3 }])
})

t.test('a file that can not be read is a configuration problem', async (t) => {
  const dir = t.testdir({ latin1: Buffer.from([0x61, 0x3a, 0xe9]) })
  for (const [path, reason] of [
    [`${dir}/none`, 'ENOENT'],
    [dir, 'EISDIR'],
    [`${dir}/latin1`, 'ERR_ENCODING_INVALID_ENCODED_DATA'],
    ['/dev/zero', 'is larger than 1 MiB'],
  ]) {
    const { code, stderr } = await cli(['serve', '--config', path!])
    t.equal(code, 2)
    t.ok(stderr.startsWith(path!) && stderr.includes(reason!), stderr)
    t.ok(stderr.endsWith('\n'))
  }
})

t.test('serve without a usable configuration says so on stderr and exits 2', async (t) => {
  const { code, stdout, stderr } = await cli(['serve'])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /google: is missing.*\nmetadatad: CONFIG_INVALID: the configuration has 1 problem\n$/)
})

t.test('config schema prints JSON', async (t) => {
  const { code, stdout } = await cli(['config', 'schema'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { type: 'object', properties: { google: { type: 'object' } } })
})

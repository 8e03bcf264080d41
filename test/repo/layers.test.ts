import { posix } from 'node:path'
import t from 'tap'
import { codeOf, readRepoFile, sourceFiles } from './support.ts'

const ANY = Symbol('any')

/** What each part may import besides itself and `lib`; README.md says what each part is for. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | typeof ANY>> = {
  lib: [],
  config: [],
  kubernetes: [],
  caller: ['kubernetes'],
  identity: ['kubernetes'],
  subject: ['kubernetes'],
  exchange: ['identity'],
  credentials: ['subject', 'exchange', 'identity'],
  endpoints: ['caller', 'credentials', 'identity'],
  intercept: ['config'],
  admin: [],
  sandbox: [],
  cli: ANY,
  daemon: ANY,
}

const IMPORT_FROM = /^(?:import|export)\s[\w\s{},*$]*?\bfrom\s+'([^']+)'/gm
const IMPORT_ONLY = /^import\s+'([^']+)'/gm
const IMPORT_LATE = /\bimport\('([^']+)'/g

const files = sourceFiles('src')

/** `src/lib/x.ts` and `src/lib.ts` are both part of `lib`. */
function partOf(path: string): string {
  return path.split('/')[1]!.replace(/\.ts$/, '')
}

function importsOf(path: string): string[] {
  const code = codeOf(path)
  return [IMPORT_FROM, IMPORT_ONLY, IMPORT_LATE].flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => match[1]!),
  )
}

t.test('imports point one way through the pipeline', async (t) => {
  for (const file of files) {
    const part = partOf(file)
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith('.')) continue
      const target = posix.join(posix.dirname(file), specifier)
      t.ok(allowed(part, target), `${file} imports ${target}`)
    }
  }
})

function allowed(part: string, target: string): boolean {
  if (target === 'package.json') return part === 'cli'
  const wanted = partOf(target)
  if (part === 'main') return wanted === 'cli'
  const may = MAY_IMPORT[part]
  return may === ANY || wanted === part || wanted === 'lib' || (may?.includes(wanted) ?? false)
}

t.test('only what ships is imported by src', async (t) => {
  const { dependencies, devDependencies } = JSON.parse(readRepoFile('package.json')) as Record<string, object>
  for (const file of files) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
      const sandboxOnly =
        partOf(file) === 'sandbox' && devDependencies !== undefined && name in devDependencies
      t.ok((dependencies !== undefined && name in dependencies) || sandboxOnly, `${file} imports ${name}`)
    }
  }
})

t.test('only main.ts touches the process', async (t) => {
  for (const file of files) {
    if (file === 'src/main.ts') continue
    t.notMatch(codeOf(file), /(?<![.\w'"`/-])process\.\w|'node:process'/, file)
  }
})

t.test('time is told by the clock alone', async (t) => {
  for (const file of files) {
    if (file === 'src/main.ts' || file === 'src/lib/clock.ts' || partOf(file) === 'sandbox') continue
    t.notMatch(
      codeOf(file),
      /\bDate\.now\(|\bnew Date\(\)|(?<![.\w])set(?:Timeout|Interval|Immediate)\(/,
      file,
    )
  }
})

t.test('no file is long', async (t) => {
  for (const file of files) t.ok(readRepoFile(file).split('\n').length <= 320, file)
})

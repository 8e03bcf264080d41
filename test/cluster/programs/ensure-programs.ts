import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cacheFolder } from './cache-folder.ts'

/** What can be built. */
export type Program =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kubectl'

const HERE = import.meta.dirname
const PROGRESS_MS = 20_000

/**
 * Kubernetes' own programs and etcd, built from the modules that go.mod beside this file names (Kubernetes is its `require`), once
 * for a version, a Go and a machine: 10 min on two cores the first time, half a minute while Go's own cache has them.
 *
 * @param say is told how far it is
 * @returns the folder they are in
 * @throws Error with the end of what Go said, if a build fails; see `cannotBuild`
 */
export async function ensurePrograms(
  names: readonly Program[],
  say: (line: string) => void,
): Promise<string> {
  const go = await run('go', ['version'])
  const flags = await linkerFlags()
  const hash = createHash('sha256').update([go, ...flags].join('\n'))
  for (const file of ['go.mod', 'go.sum', 'etcd/main.go']) hash.update(await readFile(join(HERE, file)))
  const folder = join(cacheFolder(), `programs-${hash.digest('hex').slice(0, 16)}`)
  await mkdir(folder, { recursive: true })
  const missing = names.filter((name) => !existsSync(join(folder, name)))
  if (missing.length > 0) await build(missing, flags, folder, say)
  return folder
}

async function build(
  names: readonly Program[],
  flags: readonly string[],
  folder: string,
  say: (line: string) => void,
): Promise<void> {
  say(`building ${names.join(', ')}: once, about 10 minutes on two cores; kept in ${folder}`)
  const startedAt = performance.now()
  const unfinished = `${folder}.${randomBytes(4).toString('hex')}`
  await mkdir(unfinished)
  try {
    const packages = names.map((name) => (name === 'etcd' ? './etcd' : `k8s.io/kubernetes/cmd/${name}`))
    const args = [
      'build',
      '-v',
      '-trimpath',
      '-buildvcs=false',
      ...flags,
      '-o',
      `${unfinished}/`,
      ...packages,
    ]
    let compiled = 0
    const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(0)
    const progress = setInterval(() => say(`  ${compiled} packages compiled, ${seconds()} s`), PROGRESS_MS)
    try {
      await run('go', args, (line) => {
        if (!line.startsWith('go: ')) compiled++
      })
    } finally {
      clearInterval(progress)
    }
    // A second run beside this one makes the same files.
    for (const name of names) await rename(join(unfinished, name), join(folder, name))
    say(`built in ${seconds()} s`)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** Without a version the programs say v0.0.0, and clients that compare versions take them for very old. */
async function linkerFlags(): Promise<string[]> {
  const listed = /^\tk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)(?: \/\/ indirect)?$/m.exec(
    await readFile(join(HERE, 'go.mod'), 'utf8'),
  )
  if (listed === null) throw new Error('go.mod names no version of k8s.io/kubernetes')
  const [, version, major, minor] = listed
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  const settings = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((where) =>
    Object.entries(values).map(([name, value]) => `-X ${where}.${name}=${value}`),
  )
  return ['-ldflags', ['-s', '-w', ...settings].join(' ')]
}

/** Runs a program of the Go module to its end; the lines are those of its standard error. */
async function run(
  program: string,
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<string> {
  // A workspace or flags of the one who runs the tests are for their own modules.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' }
  const child = spawn(program, args, { cwd: HERE, stdio: ['ignore', 'pipe', 'pipe'], env })
  const tail: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.push(line)
    if (tail.length > 30) tail.shift()
    onLine(line)
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ${args[0]} failed:\n${tail.join('\n')}`)
  return printed
}

import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../run-program.ts'
import { cached } from './cached.ts'
import { unpackDebian } from './unpack-debian.ts'
import { writeImage } from './write-image.ts'

/** The image that {@link ensureClientImage} makes. Without a command it sleeps, which is also what holds pods' namespaces. */
export const CLIENT_IMAGE = 'docker.io/library/metadatad-client:1'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const SOURCES = [import.meta.filename, here('unpack-debian.ts'), here('write-image.ts')]
const VENV_PIP = here('../../../.cache/venv/bin/pip')
const SDKS = ['google-auth', 'requests', 'botocore']
/** What glibc 2.36 can load. */
const PLATFORMS = [
  'manylinux_2_34_x86_64',
  'manylinux_2_28_x86_64',
  'manylinux_2_17_x86_64',
  'manylinux2014_x86_64',
]
const LIMIT_MS = 300_000

/** An archive of an image with curl, and Python with Google's and AWS's libraries. */
export async function ensureClientImage(say: (line: string) => void): Promise<string> {
  const folder = await cached('client-image', SOURCES, async (made) => {
    say("making the clients' image: once")
    const root = join(made, 'root')
    await mkdir(root)
    await unpackDebian(['coreutils', 'curl', 'python3-minimal', 'libpython3-stdlib'], root)
    await installSdks(join(root, 'opt/sdk'))
    for (const left of [
      'var/lib/apt',
      'var/cache',
      'usr/share/zoneinfo',
      'usr/lib/x86_64-linux-gnu/gconv',
      'usr/lib/x86_64-linux-gnu/perl-base',
    ])
      await rm(join(root, left), { recursive: true, force: true })
    // Compiled now, and not by every pod.
    const compile = ['python3', '-m', 'compileall', '-q', '/opt/sdk', '/usr/lib/python3.11']
    await runProgram('chroot', [root, ...compile], { timeoutMs: LIMIT_MS })
    const Env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'PYTHONPATH=/opt/sdk', 'PYTHONDONTWRITEBYTECODE=1']
    await writeImage(join(made, 'image.tar'), CLIENT_IMAGE, root, { Env, Cmd: ['sleep', 'infinity'] })
    await rm(root, { recursive: true, force: true })
  })
  return join(folder, 'image.tar')
}

async function installSdks(target: string): Promise<void> {
  const pip = existsSync(VENV_PIP) ? VENV_PIP : 'pip3'
  const platforms = PLATFORMS.flatMap((platform) => ['--platform', platform])
  const python = ['--implementation', 'cp', '--python-version', '3.11', '--only-binary=:all:', '--no-compile']
  await runProgram(pip, ['install', '--quiet', '--target', target, ...platforms, ...python, ...SDKS], {
    timeoutMs: LIMIT_MS,
  })
  // Descriptions of all of AWS's services: the credentials need none.
  const data = join(target, 'botocore/data')
  for (const entry of await readdir(data, { withFileTypes: true }))
    if (entry.isDirectory() && entry.name !== 'sts') await rm(join(data, entry.name), { recursive: true })
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../run-program.ts'

const SOURCES = fileURLToPath(new URL('../../../scripts/image/apt-sources.sh', import.meta.url))
const RELEASE = 'bookworm'
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*']
const LIMIT_MS = 300_000

/**
 * Unpacks packages of Debian 12, and what they depend on, into a folder. Nothing is installed: no script of a package runs,
 * and nothing outside the folder changes.
 */
export async function unpackDebian(packages: readonly string[], folder: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'metadatad-debian-'))
  try {
    // This machine's way to the archives.
    const config = await runProgram('apt-config', ['dump', '--format', '%f "%v";%n'])
    const wanted = /^Acquire::(?:https?::Proxy |Check-|Retries)/
    await writeFile(
      join(scratch, 'apt.conf'),
      config
        .split('\n')
        .filter((line) => wanted.test(line))
        .join('\n'),
    )
    const sources = await runProgram(SOURCES, [RELEASE])
    const args = [
      '--quiet',
      '--mode=root',
      '--variant=extract',
      `--aptopt=${scratch}/apt.conf`,
      '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
      ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
      `--include=${packages.join(',')}`,
      RELEASE,
      folder,
      '-',
    ]
    await runProgram('mmdebstrap', args, { input: sources, timeoutMs: LIMIT_MS })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

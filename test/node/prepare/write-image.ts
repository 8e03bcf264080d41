import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { runProgram } from '../run-program.ts'

/** `config` of an image (OCI image specification), in part. */
export interface ImageConfig {
  readonly Env: readonly string[]
  readonly Cmd: readonly string[]
}

const OWNED_BY_NOBODY_HERE = ['--numeric-owner', '--owner=0', '--group=0', '--mtime=@0', '--sort=name']

/**
 * Writes a file tree as an image of one layer, in the form of `docker save`.
 *
 * @param name `docker.io/library/NAME:TAG`
 */
export async function writeImage(
  archive: string,
  name: string,
  tree: string,
  config: ImageConfig,
): Promise<void> {
  const scratch = await mkdtemp(join(dirname(archive), '.image-'))
  try {
    const file = (base: string) => join(scratch, base)
    await runProgram('tar', ['-C', tree, ...OWNED_BY_NOBODY_HERE, '-cf', file('layer.tar'), '.'])
    const digest = createHash('sha256')
    await pipeline(createReadStream(file('layer.tar')), digest)
    const described = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest.digest('hex')}`] },
    })
    await writeFile(file('config.json'), described)
    const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]
    await writeFile(file('manifest.json'), JSON.stringify(manifest))
    const files = ['manifest.json', 'config.json', 'layer.tar']
    await runProgram('tar', ['-C', scratch, ...OWNED_BY_NOBODY_HERE, '-cf', archive, ...files])
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../../cluster/programs/cache-folder.ts'

/**
 * A folder that is made once: the next run finds it, unless what made it has changed.
 *
 * @param sources the files that say how it is made
 * @param make fills an empty folder
 */
export async function cached(
  name: string,
  sources: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(process.arch)
  for (const source of sources) hash.update(await readFile(source))
  const folder = join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.${randomBytes(4).toString('hex')}`
  await mkdir(unfinished, { recursive: true })
  try {
    await make(unfinished)
    // A second run beside this one may have been faster.
    await rename(unfinished, folder).catch((err: unknown) => {
      if (!existsSync(folder)) throw err
    })
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return folder
}

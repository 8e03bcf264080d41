import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { link, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../lib/log.ts'

const FILE = 'imds-token-key'
const KEY_BYTES = 32

/**
 * The key of the IMDSv2 session tokens: 32 random bytes in `stateDir/imds-token-key`, made (mode 0600) where there is none.
 * Of several daemons that start at once, all end with the same key. Where it can be neither read nor made, one for this
 * process alone, and a warning: the sessions of the pods then end with it. Never rejects.
 */
export async function loadTokenKey(stateDir: string, log: Log): Promise<KeyObject> {
  const path = join(stateDir, FILE)
  try {
    return createSecretKey((await readKey(path)) ?? (await makeKey(stateDir, path)))
  } catch (err) {
    log.warn(
      { err, path },
      'imds token key is neither readable nor writable, sessions will not survive a restart',
    )
    return createSecretKey(randomBytes(KEY_BYTES))
  }
}

async function makeKey(stateDir: string, path: string): Promise<Buffer> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  try {
    await using file = await open(draft, 'wx', 0o600)
    await file.writeFile(randomBytes(KEY_BYTES))
    await file.sync()
    // Unlike a rename, a link fails where another daemon was faster, and whoever opens it finds all of it.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await unlink(draft).catch(() => {})
  }
  const key = await readKey(path)
  if (key === undefined) throw new Error('the key was removed as soon as it was made')
  return key
}

/** Undefined if there is no such file. */
async function readKey(path: string): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, 'r')
    const bytes = Buffer.alloc(KEY_BYTES + 1)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    if (bytesRead !== KEY_BYTES) throw new Error(`the key is not ${KEY_BYTES} bytes long`)
    return bytes.subarray(0, KEY_BYTES)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

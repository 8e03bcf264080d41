import { constants, type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** Why a file was not read; `message` holds no path. */
export class ReadInsideError extends Error {}

/**
 * Reads a small file below `directory`, following symbolic links only as long as they stay there. A volume of the
 * kubelet has them: `PATH` → `..data/PATH`, `..data` → `..TIMESTAMP`, replaced as a whole.
 *
 * What was opened is compared, by the kernel's own name of the open file, with what was resolved: a directory that is
 * exchanged for a link in between is noticed. Linux only.
 *
 * @param directory holds no symbolic link itself
 * @throws ReadInsideError for a link that leaves, anything that is no regular file, and more than `maxBytes`
 * @throws the system's error (`ENOENT`, `EACCES`, …)
 */
export async function readInside(directory: string, path: string, maxBytes: number): Promise<string> {
  // The kubelet itself may exchange the file at this very moment, but not twice.
  const text = (await readOnce(directory, path, maxBytes)) ?? (await readOnce(directory, path, maxBytes))
  if (text === undefined) throw new ReadInsideError('it is exchanged while it is read')
  return text
}

/** @returns undefined if what was opened is not what was resolved */
async function readOnce(directory: string, path: string, maxBytes: number): Promise<string | undefined> {
  const resolved = await realpath(join(directory, path))
  if (!resolved.startsWith(directory + sep)) throw new ReadInsideError('a link leaves the directory')
  // O_NONBLOCK: opening a pipe that nobody writes to would hang a thread for ever.
  const file = await open(resolved, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if ((await readlink(`/proc/self/fd/${file.fd}`)) !== resolved) return undefined
    if (!(await file.stat()).isFile()) throw new ReadInsideError('it is no regular file')
    return await readBounded(file, maxBytes)
  } finally {
    await file.close()
  }
}

/** Does not believe the size, which is 0 in `/proc` and may change. */
async function readBounded(file: FileHandle, maxBytes: number): Promise<string> {
  const buffer = Buffer.alloc(maxBytes + 1)
  let length = 0
  while (length <= maxBytes) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) return buffer.toString('utf8', 0, length)
    length += bytesRead
  }
  throw new ReadInsideError('it is too long')
}

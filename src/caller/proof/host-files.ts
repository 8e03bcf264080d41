import { open, readdir, stat } from 'node:fs/promises'

/**
 * The few things that are read of the host's `/proc` and cgroup hierarchy. Every function rejects with a `code` as Node's
 * own do: see {@link isGone}.
 */
export interface HostFiles {
  /** The whole text of a file, byte for byte (latin1). Rejects with `EFBIG` if it is longer than `maxBytes`. */
  readFile(path: string, maxBytes: number): Promise<string>
  /** The names of a directory's subdirectories, in no order. */
  directories(path: string): Promise<readonly string[]>
  /** The inode number of what is at the path, links followed. */
  inode(path: string): Promise<number>
}

const CHUNK = 64 * 1024

/** The files of the machine. */
export const hostFiles: HostFiles = {
  async readFile(path, maxBytes) {
    await using file = await open(path, 'r')
    const chunks: string[] = []
    const buffer = Buffer.allocUnsafe(CHUNK)
    // Files of the kernel have no size beforehand, and give less than was asked for long before their end.
    for (let length = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null)
      if (bytesRead === 0) return chunks.join('')
      length += bytesRead
      if (length > maxBytes) throw Object.assign(new Error(`${path} is too long`), { code: 'EFBIG' })
      chunks.push(buffer.toString('latin1', 0, bytesRead))
    }
  },
  async directories(path) {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  },
  async inode(path) {
    return (await stat(path)).ino
  },
}

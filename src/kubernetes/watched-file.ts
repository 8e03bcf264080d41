import { readFile } from 'node:fs/promises'
import type { Clock } from '../lib/clock.ts'

/** How old what was read may be: the kubelet replaces a mounted token long before its end. */
const MAX_AGE_MS = 60_000

/** A small text file that is replaced now and then. */
export interface WatchedFile {
  /**
   * The file's text as it was a minute ago at most, without surrounding white space.
   *
   * @param renew true to read it in any case
   * @throws the system's error if it could never be read; later failures leave the last text in use
   */
  read(renew: boolean): Promise<string>
}

/** A file that is read again when what was read is a minute old. */
export function watchedFile(path: string, clock: Clock): WatchedFile {
  let last: { text: string; readAt: number } | undefined
  return {
    async read(renew) {
      if (last && !renew && clock.now() - last.readAt < MAX_AGE_MS) return last.text
      const readAt = clock.now()
      try {
        last = { text: (await readFile(path, 'utf8')).trim(), readAt }
      } catch (error) {
        if (!last) throw error
      }
      return last.text
    },
  }
}

import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where what is costly to make is kept for the next run, in any clone: `$XDG_CACHE_HOME/metadatad` or `~/.cache/metadatad`. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME: home } = process.env
  return join(home === undefined || home === '' ? join(homedir(), '.cache') : home, 'metadatad')
}

import { printable } from '../identity/printable.ts'

/** Every token has a run like this; pools, providers, projects, role names and UIDs are rarely as long. */
const TOKEN_LIKE = /[A-Za-z0-9_-]{40,}/g

const MAX_READ = 8_192

/** A cloud's own words as the operator may see them: printable, bounded, nothing in them that could be a token. */
export function providerWords(text: unknown): string {
  return typeof text === 'string'
    ? printable(text.slice(0, MAX_READ).replaceAll(TOKEN_LIKE, '[redacted]'), 300)
    : ''
}

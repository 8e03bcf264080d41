import { readdirSync, readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)

/** A file of the repository, by its path from the root. */
export function readRepoFile(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** The TypeScript files of a folder and all below it, by their paths from the root. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path}`)
    .sort()
}

/** A file without its comments. */
export function codeOf(path: string): string {
  return readRepoFile(path)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|\s)\/\/.*$/gm, '$1')
}

/** Values of the first column of a document's tables, where they are code. */
export function tableKeys(path: string): string[] {
  return [...readRepoFile(path).matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!)
}

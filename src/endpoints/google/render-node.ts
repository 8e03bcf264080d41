import type { Directory, Leaf, TreeNode } from './metadata-tree.ts'

/** A directory's listing: a name a line, directories with a final slash. */
export function renderListing(directory: Directory): string {
  let listing = ''
  for (const [name, node] of directory.entries) {
    listing += node.kind === 'directory' ? `${name}/\n` : `${name}\n`
  }
  return listing
}

/** A value as text: one without a newline, several with one after each. */
export function renderText({ value }: Leaf): string {
  return typeof value === 'string' ? value : value.map((line) => `${line}\n`).join('')
}

/**
 * JSON of a value or of everything below a directory, without credentials. Written by hand, because ids are numbers
 * that JavaScript can't hold.
 */
export function renderJson(node: TreeNode): string {
  if (node.kind === 'hidden') return 'null'
  if (node.kind === 'leaf')
    return node.number && typeof node.value === 'string' ? node.value : JSON.stringify(node.value)
  const members: string[] = []
  for (const [name, child] of node.entries) {
    if (child.kind === 'hidden') continue
    members.push(`${JSON.stringify(node.verbatim ? name : camelCase(name))}:${renderJson(child)}`)
  }
  return `{${members.join(',')}}`
}

/** Everything below a directory as lines `path value`, one for each line of a value, without credentials. */
export function renderFlat(directory: Directory, prefix = ''): string {
  let lines = ''
  for (const [name, child] of directory.entries) {
    if (child.kind === 'directory') lines += renderFlat(child, `${prefix}${name}/`)
    if (child.kind !== 'leaf') continue
    const values = typeof child.value === 'string' ? [child.value] : child.value
    for (const value of values) lines += `${prefix}${name} ${value}\n`
  }
  return lines
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

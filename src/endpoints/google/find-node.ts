import type { Directory, TreeNode } from './metadata-tree.ts'

/**
 * What a canonical path names; undefined if nothing. A final slash names directories only; a directory is found
 * without it too, and it is for the caller to redirect.
 */
export function findNode(tree: Directory, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = tree
  for (const segment of path.split('/')) {
    if (segment === '') continue
    if (node?.kind !== 'directory') return undefined
    node = node.entries.get(segment)
  }
  return path.endsWith('/') && node?.kind !== 'directory' ? undefined : node
}

import type { Answer } from '../answer.ts'
import { API_VERSIONS } from './api-versions.ts'
import type { AzureFactValues } from './azure-pipeline.ts'
import { imdsError, imdsJson, imdsText } from './imds-answer.ts'
import { findInstanceNode, type InstanceNode, instanceTree } from './instance-tree.ts'

/** Real IMDS has this error in words of its own. */
export const badApiVersion = imdsJson('instance', 400, {
  error:
    'Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds',
  'newest-versions': API_VERSIONS.slice(-3).reverse(),
})
const needsText = imdsError('instance', 400, 'invalid_request', 'This is a leaf: ask for it with format=text')
const badFormat = imdsError('instance', 400, 'invalid_request', 'format is neither json nor text')

/**
 * `/metadata/instance` and what is below it.
 *
 * @param path names and indices below `/metadata/instance`
 * @param query see `imdsQuery`
 * @returns undefined if there is nothing there
 */
export function instanceAnswer(
  facts: AzureFactValues,
  path: readonly string[],
  query: ReadonlyMap<string, string>,
): Answer | undefined {
  const version = query.get('api-version') ?? ''
  if (!API_VERSIONS.includes(version)) return badApiVersion
  const format = query.get('format')?.toLowerCase() ?? 'json'
  if (format !== 'json' && format !== 'text') return badFormat
  const node = findInstanceNode(instanceTree(facts, version), path)
  if (node === undefined) return undefined
  if (format === 'text') return imdsText(typeof node === 'string' ? node : listing(node))
  return typeof node === 'string' ? needsText : imdsJson('instance', 200, node)
}

/** A name or an index a line, with a slash behind it if there is more below. */
function listing(node: Exclude<InstanceNode, string>): string {
  return Object.entries(node)
    .map(([name, child]) => (typeof child === 'string' ? name : `${name}/`))
    .join('\n')
}

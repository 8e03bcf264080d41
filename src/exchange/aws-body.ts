import { parseAwsXml } from './aws-xml.ts'
import { isObject } from './is-object.ts'
import { parseObject } from './parse-object.ts'

/**
 * The body of an answer of STS as a tree of objects and values: JSON, which STS gives to who accepts it, or else XML, the only
 * form that is documented (https://docs.aws.amazon.com/STS/latest/APIReference/).
 *
 * @returns an empty tree if it is neither
 */
export function parseAwsBody(text: string): AwsTree {
  return (text.trimStart().startsWith('<') ? parseAwsXml(text) : parseObject(text)) ?? {}
}

/** See {@link parseAwsBody}. */
export type AwsTree = Readonly<Record<string, unknown>>

/** The value at a path of the tree; undefined if there is none. */
export function awsValue(tree: AwsTree, ...path: readonly string[]): unknown {
  let value: unknown = tree
  for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** Deeper than any answer of STS. */
const MAX_DEPTH = 8

/**
 * Reads an XML document as the JSON form of the same answer would be: an element with elements in it as an object of them,
 * any other as its text; attributes do not count, and of elements with one name the last does. The parser expands no entity but XML's own
 * five: it never looks into a document type declaration.
 *
 * @returns an object with the root element as its only property; undefined if `text` is no XML
 */
export function parseAwsXml(text: string): Record<string, unknown> | undefined {
  try {
    const { root } = parseXml(text)
    return root === null ? undefined : Object.fromEntries([[root.name, contentOf(root, MAX_DEPTH)]])
  } catch {
    // Not only malformed XML: elements within elements without end exhaust the parser's stack.
    return undefined
  }
}

function contentOf(element: XmlElement, depth: number): unknown {
  const elements = element.children.filter((child) => child instanceof XmlElement)
  if (elements.length === 0) return element.text
  if (depth === 0) return undefined
  return Object.fromEntries(elements.map((child) => [child.name, contentOf(child, depth - 1)]))
}

import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** Deeper than any answer of STS. */
const MAX_DEPTH = 8
/** Longer, too: of four times as many elements the parser makes half a second without a pause. */
const MAX_LENGTH = 64 * 1024

/**
 * Reads an XML document as the JSON form of the same answer would be: an element with elements in it as an object of them,
 * any other as its text; attributes do not count, and of elements with one name the last does. The parser expands no entity but XML's own
 * five: it never looks into a document type declaration.
 *
 * @returns an object with the root element as its only property; undefined if `text` is no XML, or has more than 64 Ki characters
 */
export function parseAwsXml(text: string): Record<string, unknown> | undefined {
  if (text.length > MAX_LENGTH) return undefined
  try {
    // XML 1.0 section 2.11. The parser does the same, in time that grows with the square of the number of lines.
    const { root } = parseXml(text.replaceAll(/\r\n?/g, '\n'))
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

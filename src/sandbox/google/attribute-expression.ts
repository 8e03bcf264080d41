/** Computes an attribute from a verified assertion's claims; undefined where a claim is missing or is no text. */
export type AttributeExpression = (claims: Readonly<Record<string, unknown>>) => string | undefined

type Term = { readonly literal: string } | { readonly path: readonly (string | number)[] }

const TOKEN =
  /\s*(?:(\+)|'([^'\\]*)'|"([^"\\]*)"|(assertion)((?:\.[A-Za-z_]\w*|\[(?:'[^'\\]*'|"[^"\\]*"|\d{1,4})\])+))\s*/y
const STEP = /\.(\w+)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]/g

/**
 * Compiles the part of the Common Expression Language that attribute mappings of Kubernetes clusters use: claims
 * (`assertion.sub`, `assertion['kubernetes.io']['namespace']`, `assertion.aud[0]`), text literals without escapes, and
 * their concatenation with `+`. `assertion.aud` may be the usual list of one.
 *
 * Source: Google Cloud, "Workload Identity Federation", attribute mappings; at most 2,048 characters.
 *
 * @throws TypeError the expression is not of that form
 */
export function compileAttributeExpression(text: string): AttributeExpression {
  const terms = parse(text)
  return (claims) => {
    let value = ''
    for (const term of terms) {
      const part = 'literal' in term ? term.literal : textAt(claims, term.path)
      if (part === undefined) return undefined
      value += part
    }
    return value
  }
}

function parse(text: string): readonly Term[] {
  const bad = () =>
    new TypeError(`attribute expression not understood: ${JSON.stringify(text.slice(0, 200))}`)
  if (text.length > 2048) throw bad()
  const token = new RegExp(TOKEN)
  const terms: Term[] = []
  let termExpected = true
  while (token.lastIndex < text.length) {
    const match = token.exec(text)
    const isTerm = match?.[1] === undefined
    if (!match || isTerm !== termExpected) throw bad()
    termExpected = !isTerm
    if (match[4] !== undefined) terms.push({ path: pathOf(match[5]!) })
    else if (isTerm) terms.push({ literal: (match[2] ?? match[3])! })
  }
  if (termExpected) throw bad()
  return terms
}

function pathOf(steps: string): readonly (string | number)[] {
  return [...steps.matchAll(STEP)].map((m) => (m[4] === undefined ? (m[1] ?? m[2] ?? m[3])! : Number(m[4])))
}

function textAt(claims: unknown, path: readonly (string | number)[]): string | undefined {
  let value = claims
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) !== (typeof step === 'number'))
      return undefined
    // Object.hasOwn, or `assertion.constructor` would reach the prototype.
    if (!Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  if (Array.isArray(value) && value.length === 1) value = value[0]
  return typeof value === 'string' ? value : undefined
}

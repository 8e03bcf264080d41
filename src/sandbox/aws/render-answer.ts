import type { InjectedAnswer } from '../sandbox-types.ts'
import type { StsError } from './sts-error.ts'

/** An element of an answer: a date shows as ISO 8601 in XML and as epoch seconds in JSON; null only in JSON. */
export type AnswerTree = { readonly [name: string]: AnswerTree | string | number | Date | null }

/** How an answer goes out. */
export interface AnswerForm {
  /** JSON, not the Query API's XML: asked for by `Accept: application/json`. */
  readonly json: boolean
  readonly requestId: string
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** The answer of a successful action, in the envelope of the AWS Query API (API version 2011-06-15). */
export function renderAnswer(action: string, result: AnswerTree, form: AnswerForm): InjectedAnswer {
  const { requestId } = form
  return render(
    200,
    `${action}Response`,
    { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } },
    { ...form, bareJson: false },
  )
}

/** The answer of a refused one: `ErrorResponse` with type, code and message. */
export function renderError({ code, message, status, type }: StsError, form: AnswerForm): InjectedAnswer {
  const tree = { Error: { Type: type, Code: code, Message: message }, RequestId: form.requestId }
  return render(status, 'ErrorResponse', tree, { ...form, bareJson: true })
}

function render(
  status: number,
  root: string,
  tree: AnswerTree,
  form: AnswerForm & { readonly bareJson: boolean },
): InjectedAnswer {
  const headers = {
    'content-type': form.json ? 'application/json' : 'text/xml',
    'x-amzn-requestid': form.requestId,
  }
  const body = form.json
    ? JSON.stringify(form.bareJson ? toJson(tree) : { [root]: toJson(tree) })
    : `<${root} xmlns="${NAMESPACE}">${toXml(tree)}</${root}>\n`
  return { status, headers, body }
}

function toJson(tree: AnswerTree): object {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => {
      if (value instanceof Date) return [name, value.getTime() / 1000]
      return [name, typeof value === 'object' && value !== null ? toJson(value) : value]
    }),
  )
}

function toXml(tree: AnswerTree): string {
  let xml = ''
  for (const [name, value] of Object.entries(tree)) {
    if (value !== null) xml += `<${name}>${content(value)}</${name}>`
  }
  return xml
}

function content(value: NonNullable<AnswerTree[string]>): string {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (typeof value === 'object') return toXml(value)
  // XML 1.0 has no spelling at all for most control characters.
  return String(value)
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}

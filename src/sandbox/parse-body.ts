/**
 * What a body says: the value for JSON (a JSON patch is one), an object of strings for a form (the last of repeated fields counts).
 *
 * @returns undefined for an empty body, another content type, or JSON that can't be parsed
 */
export function parseBody(contentType: string | undefined, text: string): unknown {
  const type = contentType?.replace(/;.*/s, '').trim().toLowerCase()
  if (text === '') return undefined
  if (type === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text))
  if (type !== 'application/json' && type !== 'application/json-patch+json') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

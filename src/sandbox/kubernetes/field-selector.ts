import type { KubernetesObject } from './kubernetes-object.ts'
import type { Resource } from './resources.ts'
import { StatusError } from './status-error.ts'

/** A parsed field selector. */
export interface FieldSelector<T extends KubernetesObject> {
  matches(object: T): boolean
  /** The value that the resource's indexed field must have, where the selector demands one. */
  readonly indexedValue: string | undefined
}

const TERM = /^([^=!]+)(!=|==|=)([^=!]*)$/

/**
 * Reads a `fieldSelector`: terms `field=value`, `field==value`, `field!=value`, joined by commas; empty selects all.
 * Unlike the real server it knows no backslash escapes: no selectable value contains a comma.
 *
 * @throws StatusError 400 for a malformed selector or a field that can't be selected by
 */
export function parseFieldSelector<T extends KubernetesObject>(
  resource: Resource<T>,
  text: string,
): FieldSelector<T> {
  const terms = (text === '' ? [] : text.split(',')).map((term) => {
    const [, field, operator, value] = TERM.exec(term) ?? []
    if (field === undefined || value === undefined)
      throw refusal(resource, text, `invalid selector: '${term}'`)
    if (!Object.hasOwn(resource.fields, field)) {
      throw refusal(resource, text, `field label not supported: ${field}`)
    }
    return { field, read: resource.fields[field]!, equal: operator !== '!=', value }
  })
  return {
    matches: (object) => terms.every(({ read, equal, value }) => (read(object) === value) === equal),
    indexedValue: terms.find(({ field, equal }) => equal && field === resource.indexed)?.value,
  }
}

function refusal(resource: { readonly name: string }, text: string, problem: string): StatusError {
  return StatusError.badRequest(
    `Unable to find "/v1, Resource=${resource.name}" that match label selector "", field selector "${text}": ${problem}`,
  )
}

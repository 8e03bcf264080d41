import type { Route } from './route.ts'
import { StatusError } from './status-error.ts'

/** The API server's refusal of a user who lacks a right, in its own words. */
export function forbidden(user: string, { verb, group, resource, namespace, name }: Route): StatusError {
  const kind = resource.split('/', 1)[0]!
  const subject = `${group === '' ? kind : `${kind}.${group}`}${name === undefined ? '' : ` "${name}"`}`
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  return new StatusError(
    403,
    'Forbidden',
    `${subject} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "${group}" ${scope}`,
    { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind },
  )
}

import type { MetadatadError } from '../lib/errors.ts'

/** What every API server says when its authorizers refuse a call (apiserver/pkg/endpoints/handlers/responsewriters). */
const DENIED = /\bUser ".*" cannot [a-z]+ (?:resource|path) "/

/**
 * Was the call refused because its user has no right to it? Admission refuses with 403 too: an Event in a namespace that is
 * being deleted, a token that a policy denies. Only the message tells the two apart.
 */
export function isMissingRight({ code, message }: MetadatadError): boolean {
  return code === 'KUBERNETES_FORBIDDEN' && DENIED.test(message)
}

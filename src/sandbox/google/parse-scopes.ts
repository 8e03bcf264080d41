const SCOPE = /^(?:https:\/\/www\.googleapis\.com\/auth\/[\w./-]{1,200}|openid|email|profile)$/
const MAX_SCOPES = 100

/**
 * Checks OAuth scopes as Google spells them.
 *
 * @returns undefined if there is none, too many, or one that is no scope of a Google API
 */
export function parseScopes(scopes: readonly unknown[]): readonly string[] | undefined {
  const valid = (scope: unknown): scope is string => typeof scope === 'string' && SCOPE.test(scope)
  return scopes.length > 0 && scopes.length <= MAX_SCOPES && scopes.every(valid) ? scopes : undefined
}

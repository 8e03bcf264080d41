import { StatusError } from './status-error.ts'

/** The query of a list or a watch (meta/v1 ListOptions), checked. */
export interface ListOptions {
  readonly fieldSelector: string
  /** 0 means no limit. */
  readonly limit: number
  /** Where a paginated list goes on. */
  readonly continue: { readonly resourceVersion: number; readonly after: string } | undefined
  /** Undefined: the most recent. 0: any. */
  readonly resourceVersion: number | undefined
  readonly resourceVersionMatch: 'Exact' | 'NotOlderThan' | undefined
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean
  readonly timeoutSeconds: number | undefined
}

/**
 * Reads the query of a list or a watch.
 *
 * @param streamingLists whether `sendInitialEvents` is understood
 * @throws StatusError 400 for what can't be read, 422 for combinations that the API server does not allow
 */
export function parseListOptions(
  query: URLSearchParams,
  watch: boolean,
  streamingLists: boolean,
): ListOptions {
  if (query.get('labelSelector')) throw StatusError.badRequest('label selectors are not part of the sandbox')
  const options: ListOptions = {
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: wholeNumber(query, 'limit') ?? 0,
    continue: parseContinue(query.get('continue') ?? ''),
    resourceVersion: wholeNumber(query, 'resourceVersion'),
    resourceVersionMatch: parseMatch(query.get('resourceVersionMatch') ?? ''),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: isTrue(query.get('sendInitialEvents')),
    timeoutSeconds: wholeNumber(query, 'timeoutSeconds'),
  }
  if (watch) {
    if (query.has('sendInitialEvents')) {
      if (!streamingLists) {
        throw forbidden(
          'sendInitialEvents',
          'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
        )
      }
      if (options.resourceVersionMatch !== 'NotOlderThan') {
        throw forbidden(
          'resourceVersionMatch',
          'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        )
      }
    } else if (options.resourceVersionMatch) {
      throw forbidden(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      )
    }
    return options
  }
  if (query.has('sendInitialEvents'))
    throw forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')
  if (options.continue && options.resourceVersion) {
    throw StatusError.badRequest('specifying resource version is not allowed when using continue')
  }
  if (options.resourceVersionMatch && options.resourceVersion === undefined) {
    throw forbidden(
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden unless resourceVersion is provided',
    )
  }
  if (options.resourceVersionMatch === 'Exact' && options.resourceVersion === 0) {
    throw forbidden(
      'resourceVersionMatch',
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    )
  }
  return options
}

/** The `continue` token of a page that ended with the key `after`. */
export function continueToken(resourceVersion: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: resourceVersion, start: after })).toString(
    'base64url',
  )
}

function parseContinue(text: string): ListOptions['continue'] {
  if (text === '') return undefined
  try {
    const { rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (Number.isSafeInteger(rv) && rv >= 0 && typeof start === 'string')
      return { resourceVersion: rv, after: start }
  } catch {}
  throw StatusError.badRequest('continue key is not valid')
}

function parseMatch(text: string): ListOptions['resourceVersionMatch'] {
  if (text === '') return undefined
  if (text === 'Exact' || text === 'NotOlderThan') return text
  throw forbidden('resourceVersionMatch', `supported values: "Exact", "NotOlderThan", got "${text}"`)
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value))
    throw StatusError.badRequest(`${name}: Invalid value: "${text}": must be a whole number`)
  return value
}

/** Go's `strconv.ParseBool`, as far as clients use it. */
function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1'
}

function forbidden(field: string, message: string): StatusError {
  return StatusError.invalid(
    'ListOptions.meta.k8s.io',
    '',
    field,
    `Forbidden: ${message}`,
    'FieldValueForbidden',
  )
}

import { MetadatadError } from '../../lib/errors.ts'

/** The query parameters of values and directories (Compute Engine, "Query metadata server"). Others mean nothing. */
export interface TreeQuery {
  readonly recursive: boolean
  /** Undefined leaves the choice to what is asked for. */
  readonly alt: 'json' | 'text' | undefined
  /** Present with `wait_for_change=true`. */
  readonly wait: { readonly lastEtag: string | undefined; readonly timeoutMs: number } | undefined
}

/** Clients without a timeout of their own wait in a loop, and lose nothing by an answer that says the same again. */
const MAX_WAIT_MS = 3_600_000

const PLAIN: TreeQuery = { recursive: false, alt: undefined, wait: undefined }

/**
 * @param query raw, without the question mark
 * @throws MetadatadError `REQUEST_INVALID` for a `timeout_sec` that is no number of seconds
 */
export function parseTreeQuery(query: string): TreeQuery {
  if (query === '') return PLAIN
  const parameters = new URLSearchParams(query)
  const alt = parameters.get('alt')?.toLowerCase()
  return {
    recursive: isTrue(parameters.get('recursive')),
    alt: alt === 'json' || alt === 'text' ? alt : undefined,
    wait: isTrue(parameters.get('wait_for_change'))
      ? {
          lastEtag: parameters.get('last_etag') ?? undefined,
          timeoutMs: timeoutMs(parameters.get('timeout_sec')),
        }
      : undefined,
  }
}

function isTrue(value: string | null): boolean {
  return value?.toLowerCase() === 'true'
}

function timeoutMs(seconds: string | null): number {
  if (seconds === null) return MAX_WAIT_MS
  if (!/^\d{1,9}$/.test(seconds)) {
    throw new MetadatadError('REQUEST_INVALID', 'timeout_sec is invalid', {
      retryable: false,
      fault: 'caller',
      publicMessage: 'The parameter timeout_sec must be a whole number of seconds.',
    })
  }
  return Math.min(Number(seconds) * 1000, MAX_WAIT_MS)
}

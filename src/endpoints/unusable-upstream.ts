import { MetadatadError } from '../lib/errors.ts'

/** An answer of the real server that is not what was asked for. */
export function unusableUpstream(message: string, providerCode?: string): MetadatadError {
  return new MetadatadError('EXCHANGE_MALFORMED', message, {
    retryable: true,
    fault: 'upstream',
    publicMessage: 'The metadata server behind this one gave no usable answer. Try again.',
    ...(providerCode === undefined ? {} : { providerCode }),
  })
}

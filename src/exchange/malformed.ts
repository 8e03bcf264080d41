import { MetadatadError } from '../lib/errors.ts'

/** An answer that claims success and is none of the service's, or none that can be used. */
export function malformed(service: string, what: string): MetadatadError {
  return new MetadatadError('EXCHANGE_MALFORMED', `answer of ${service.toLowerCase()}: ${what}`, {
    fault: 'upstream',
    retryable: true,
    publicMessage: `${service} gave an answer that can't be understood. Try again.`,
  })
}

import { MetadatadError } from '../lib/errors.ts'

/** A credential reached its end between being found and being written. */
export function credentialEnded(): MetadatadError {
  return new MetadatadError('CALLER_NOT_READY', 'credential ended before it was served', {
    retryable: true,
    fault: 'upstream',
    publicMessage: 'The credential ended before it could be given out. Try again.',
  })
}

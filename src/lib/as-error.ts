import { MetadatadError } from './errors.ts'

/**
 * Gives any thrown value the shape the pipeline handles. A value that is not a {@link MetadatadError} is a defect of
 * the daemon: it becomes a retryable `INTERNAL` of fault `ours`, so that it is never mistaken for a refusal.
 */
export function asError(thrown: unknown): MetadatadError {
  if (thrown instanceof MetadatadError) return thrown
  return new MetadatadError('INTERNAL', 'unexpected failure', {
    fault: 'ours',
    retryable: true,
    publicMessage: 'The metadata daemon failed unexpectedly; its log has the details. Try again.',
    cause: thrown,
  })
}

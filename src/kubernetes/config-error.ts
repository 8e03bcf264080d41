import { MetadatadError } from '../lib/errors.ts'

/** A way to the API server that a person has to mend: what is wrong, and where. */
export function configError(message: string, cause?: unknown): MetadatadError {
  return new MetadatadError('CONFIG_INVALID', message, {
    retryable: false,
    fault: 'ours',
    publicMessage:
      'The metadata daemon is misconfigured. Ask the operator of the cluster to look at its log.',
    ...(cause === undefined ? {} : { cause }),
  })
}

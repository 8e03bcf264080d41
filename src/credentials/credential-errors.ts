import { MetadatadError } from '../lib/errors.ts'

/** The pod, or its ServiceAccount, is no longer what it was when the credential was asked for. */
export function callerChanged(): MetadatadError {
  return new MetadatadError(
    'CALLER_CHANGED',
    'the pod or its service account changed while the credential was obtained',
    {
      fault: 'ours',
      retryable: true,
      publicMessage: 'The pod or its Kubernetes ServiceAccount has just changed. Try again.',
    },
  )
}

/** The caller's own deadline passed; what it asked for goes on being obtained. */
export function notReady(cause?: MetadatadError): MetadatadError {
  return new MetadatadError('CALLER_NOT_READY', 'the credential is still being obtained', {
    fault: 'ours',
    retryable: true,
    publicMessage: 'The credential is still being obtained. Try again in a second.',
    cause,
  })
}

/** The cache was closed. */
export function stopping(): MetadatadError {
  return new MetadatadError('CALLER_NOT_READY', 'the daemon is stopping', {
    fault: 'ours',
    retryable: true,
    publicMessage: 'The metadata daemon is being restarted. Try again in a few seconds.',
  })
}

/** The pod, or the node, holds as many credentials as it may, or obtains as many at once. */
export function credentialLimit(limit: string): MetadatadError {
  return new MetadatadError('CREDENTIAL_LIMIT', `too many different credentials: ${limit}`, {
    fault: 'caller',
    retryable: true,
    publicMessage:
      'This pod asks for too many different credentials at once. Ask for fewer distinct scopes or audiences, or try again later.',
  })
}

/** Obtaining took longer than a flight may. */
export function obtainTimeout(): MetadatadError {
  return new MetadatadError('EXCHANGE_UNAVAILABLE', 'obtaining the credential took too long', {
    fault: 'upstream',
    retryable: true,
    publicMessage: 'The cloud or the Kubernetes API did not answer in time. Try again.',
  })
}

/** A cloud gave out something that has already ended, or has no end that makes sense. */
export function alreadyEnded(): MetadatadError {
  return new MetadatadError('EXCHANGE_MALFORMED', 'the credential had no life left when it arrived', {
    fault: 'upstream',
    retryable: true,
    publicMessage:
      "The cloud's credential had already ended on arrival. Ask the operator to check the node's clock.",
  })
}

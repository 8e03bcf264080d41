import { MetadatadError } from '../../lib/errors.ts'

/** Nothing announces a socket or an address of another namespace: a caller that is held is looked for this often. */
const AGAIN_MS = 50

/** The refusal of a connection that the kernel shows in no pod, or in one that it can't be. */
export function unprovedCaller(cause?: unknown): MetadatadError {
  return new MetadatadError('CALLER_UNPROVED', 'the kernel shows no pod at the other end of the connection', {
    fault: 'caller',
    retryable: true,
    retryAfterMs: AGAIN_MS,
    publicMessage:
      'The metadata daemon could not prove which pod is calling: the connection was not found inside the network of a ' +
      'pod that owns its address. Try again; if it persists, the pod may translate its addresses (see the annotation ' +
      'metadatad.dev/translates-addresses), or its runtime may have a network stack of its own.',
    cause,
  })
}

import { asError } from '../../lib/as-error.ts'
import type { Answer } from '../answer.ts'
import { failureKind, retryHeaders } from '../failure-kind.ts'
import { type ContainerRoute, containerError } from './container-answer.ts'

/** A failure in the terms of the container credential providers, which print code and message. */
export function containerErrorAnswer(route: ContainerRoute, thrown: unknown): Answer {
  const error = asError(thrown)
  const said = error.publicMessage
  switch (failureKind(error)) {
    case 'transient':
      return containerError(route, 503, 'ServiceUnavailable', said, retryHeaders(error))
    case 'request':
      return containerError(route, 400, 'InvalidToken', said)
    case 'none':
      return containerError(route, 404, 'NotFound', said)
    case 'refused':
      return containerError(route, 403, 'AccessDenied', said)
  }
}

import { type Answer, answer } from '../answer.ts'

/** Which part of the endpoint an answer comes from; label of `metadatad_answers_total`. */
export type ContainerRoute = 'credentials' | 'none'

/** A JSON answer. */
export function containerJson(
  route: ContainerRoute,
  status: number,
  value: object,
  headers: readonly string[] = [],
): Answer {
  return answer(route, status, 'application/json', JSON.stringify(value), [
    'Cache-Control',
    'no-store',
    ...headers,
  ])
}

/** An error with its code and message in both casings: Go reads the lower case, JavaScript the upper. */
export function containerError(
  route: ContainerRoute,
  status: number,
  code: string,
  message: string,
  headers: readonly string[] = [],
): Answer {
  return containerJson(route, status, { code, message, Code: code, Message: message }, headers)
}

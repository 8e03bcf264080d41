import { Refusal } from './refusal.ts'
import { sendJson } from './send-json.ts'
import type { ServiceCall } from './service.ts'

/** Turns a function that returns a body, or throws a {@link Refusal}, into a handler. */
export function answering(
  answer: (call: ServiceCall) => object | Promise<object>,
): (call: ServiceCall) => Promise<void> {
  return async (call) => {
    try {
      sendJson(call.response, 200, await answer(call))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      sendJson(call.response, error.answer.status, error.answer.body, error.answer.headers)
    }
  }
}

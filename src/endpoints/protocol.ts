import type { Answer } from './answer.ts'
import type { PodRequest } from './pod-request.ts'
import type { RequestHeaders } from './request-headers.ts'

/** One cloud's way of speaking. Each is a folder (or a file, while it is off) beside this one. */
export interface Protocol {
  /** Label of the metrics. */
  readonly name: string
  /** What any request with `X-Forwarded-For` gets, before anything else of it is looked at. */
  readonly forwarded: Answer
  /** What a request gets whose target or `Host` can be read in two ways. */
  readonly malformed: Answer
  /** Is the path this protocol's? Cheap: the protocols are asked in turn for every request. */
  owns(path: string, headers: RequestHeaders): boolean
  /**
   * Never throws for anything a client sends. An answer made for one caller has `request.caller` set; it may be asked
   * again for the same request if that caller turns invalid before the answer is written.
   */
  handle(request: PodRequest): Answer | Promise<Answer>
  /** The answer for whatever went wrong outside `handle`, or unexpectedly within. */
  failure(thrown: unknown): Answer
  /** Answers at once all that waits for a change, and lets none wait again. */
  close?(): void
}

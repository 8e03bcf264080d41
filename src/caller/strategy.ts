import type { Pod } from '../kubernetes/types.ts'
import type { Connection } from './caller.ts'

/** What a strategy found out. */
export interface Identification {
  readonly pod: Pod
  /** False once the facts behind it have changed; never true again. */
  readonly valid: boolean
}

/** What is already known of a connection when it is looked at. */
export interface Attempt {
  readonly connection: Connection
  /** Of the live reader, taken when the connection was opened: an answer must be newer than the connection. */
  readonly mark: number
  /**
   * The pod that this connection was tied to before. A TCP connection has one owner for its life, so whoever finds another
   * must not answer at all.
   */
  readonly knownUid: string | undefined
}

/**
 * One way to tie a connection to a pod. Strategies are asked in order; the first that can say decides, and there is no
 * falling back from one that has refused.
 */
export interface IdentificationStrategy {
  /** For metrics. */
  readonly name: string
  /** Does beforehand what the first question would wait for. Never rejects. */
  prepare?(): Promise<void>
  /**
   * The answer, if it is known now without asking anybody. `ask` if this way has to be asked before any later one may
   * answer; undefined if it can't tell about this connection.
   */
  recall(attempt: Attempt): Identification | 'ask' | undefined
  /**
   * The answer, asking whom it takes; undefined if this way can't tell anything about this connection.
   *
   * @throws MetadatadError retryable if the same question may have an answer later; with `retryAfterMs` if no event will
   * tell when
   */
  identify(attempt: Attempt): Promise<Identification | undefined>
}

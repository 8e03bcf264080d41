import type { InjectedAnswer } from './sandbox-types.ts'

/** A request that a fake refuses: thrown anywhere below a handler, answered by it. */
export class Refusal extends Error {
  readonly answer: InjectedAnswer

  constructor(answer: InjectedAnswer) {
    super(JSON.stringify(answer.body))
    this.name = 'Refusal'
    this.answer = answer
  }
}

/** What came of the questions of one churn. */
export interface Tally {
  lifecycles: number
  questions: number
  /** Answered with an identity, or with none where there is none. */
  answered: number
  /** 503: asked again later. */
  refused: number
  /** First questions of pods that had an identity of their own, answered at the first try. */
  firstAnswered: number
  /** Those of them whose credential was there before the question was sent. */
  firstWarm: number
  /** Such questions that were refused for the time being. */
  firstRefused: number
  /** Those of the answered ones that were sent before the API server had the pod's address. */
  firstHeld: number
  /** Pods whose process ended without any answer. */
  neverAnswered: number
  annotationChanges: number
  /** Another pod's identity, or another ServiceAccount's. */
  readonly wrong: string[]
  /** Anything else that must not be: other statuses, broken connections, an annotation that was replaced before. */
  readonly failed: string[]
}

/** One with nothing in it. */
export function newTally(): Tally {
  return {
    lifecycles: 0,
    questions: 0,
    answered: 0,
    refused: 0,
    firstAnswered: 0,
    firstWarm: 0,
    firstRefused: 0,
    firstHeld: 0,
    neverAnswered: 0,
    annotationChanges: 0,
    wrong: [],
    failed: [],
  }
}

import { asError } from '../lib/as-error.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { SubjectTokens } from './subject-tokens.ts'

/** Counts what a source gives, in the metric `subjectTokens`. */
export function countedSource(
  source: 'projected' | 'tokenRequest',
  tokens: SubjectTokens,
  metrics: Metrics,
): SubjectTokens {
  return {
    async get(request, signal) {
      let outcome = 'ok'
      try {
        return await tokens.get(request, signal)
      } catch (thrown) {
        const error = asError(thrown)
        outcome = error.code
        throw error
      } finally {
        metrics.subjectTokens.inc({ source, outcome })
      }
    },
  }
}

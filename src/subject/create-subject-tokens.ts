import type { KubernetesClient } from '../kubernetes/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { autoSource } from './auto-source.ts'
import { type CachedTokens, cachedTokens } from './cached-tokens.ts'
import { countedSource } from './counted-source.ts'
import { projectedSource } from './projected-source.ts'
import type { SubjectTokens } from './subject-tokens.ts'
import { tokenRequestSource } from './token-request-source.ts'

/** `subjectToken` of the configuration, and what the sources work with. */
export interface CreateSubjectTokensOptions {
  readonly source: 'auto' | 'tokenRequest' | 'projected'
  /** The kubelet's `--root-dir` as the daemon sees it. */
  readonly kubeletRoot: string
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** The pods' service-account tokens, from the configured source, kept for half of their lives. */
export function createSubjectTokens(options: CreateSubjectTokensOptions): CachedTokens {
  return cachedTokens({ tokens: sourceOf(options), clock: options.clock })
}

function sourceOf(options: CreateSubjectTokensOptions): SubjectTokens {
  const { source, log, metrics } = options
  const projected = countedSource('projected', projectedSource(options), metrics)
  const tokenRequest = countedSource('tokenRequest', tokenRequestSource(options), metrics)
  if (source === 'projected') return projected
  if (source === 'tokenRequest') return tokenRequest
  return autoSource({ projected, tokenRequest, log })
}

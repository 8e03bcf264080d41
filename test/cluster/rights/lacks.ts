import type { Question } from './questions.ts'

/** Addresses of pods of the scenario. */
export const IPS = {
  /** Has an identity in each cloud. */
  whole: '127.0.21.1',
  /** Its annotation names what it may not be: an Event, and one that counts. */
  refused: '127.0.21.2',
  /** Its ServiceAccount is gone: one GET. */
  orphan: '127.0.21.3',
  /** Of two pods: a live read. */
  twins: '127.0.21.4',
} as const

/** What a daemon without one right does. */
export interface Lack {
  /** `VERB RESOURCE` */
  readonly right: string
  /** The pod whose questions need the right; it is never given anything. */
  readonly missedBy?: string
  /** The same, once the right was given back: the address of a pod yet to be made, if not the same. */
  readonly mendedBy?: string
  /** What is answered wrongly or not at all; the rest is answered as ever. */
  readonly lost?: readonly Question[]
  readonly notReady?: boolean
  /** A server that streams lists is never asked for it. */
  readonly unused?: boolean
}

/** Every right of the daemon's ClusterRole. */
export const LACKS: readonly Lack[] = [
  { right: 'list pods', missedBy: IPS.twins },
  { right: 'watch pods', notReady: true },
  { right: 'get serviceaccounts', missedBy: IPS.orphan },
  { right: 'list serviceaccounts', unused: true },
  { right: 'watch serviceaccounts' },
  { right: 'create serviceaccounts/token', lost: ['google', 'aws', 'azure'] },
  { right: 'list nodes', unused: true },
  { right: 'watch nodes', lost: ['zone'] },
  // What could not be told is not told again at once: another pod has to be refused.
  { right: 'create events', missedBy: IPS.refused, mendedBy: '127.0.21.5' },
  { right: 'patch events', missedBy: IPS.refused, mendedBy: '127.0.21.6' },
]

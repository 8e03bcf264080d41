/** One thing that happens in a history. */
export type Action =
  | { do: 'get'; pod: number; spec: number; patience: number }
  | { do: 'peek' | 'prefetch'; pod: number; spec: number }
  | { do: 'pass'; ms: number }
  | {
      do: 'cloud'
      mood: 'well' | 'failing' | 'refusing' | 'silent' | 'expired'
      latency: number
      life: number
    }
  /** The cloud takes none of the base credentials any more that it has given out. */
  | { do: 'sour' }
  /** The pod is gone, and only the API server knows yet. */
  | { do: 'die'; pod: number }
  | { do: 'gone'; pod: number }
  | { do: 'changed' | 'replaced'; account: number }

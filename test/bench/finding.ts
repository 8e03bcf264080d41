/** One line of the benchmark's table. */
export interface Finding {
  readonly what: string
  /** The median of `values`. */
  readonly value: number
  readonly unit: 'x' | 'per CPU-s' | 'ms' | 's' | 'MiB' | 'calls' | 'errors'
  /** One of each round or start, in order. */
  readonly values: readonly number[]
  readonly goal: { readonly atLeast: number } | { readonly atMost: number } | undefined
}

/** Is the goal met? Undefined if there is none. */
export function goalMet({ value, goal }: Finding): boolean | undefined {
  if (goal === undefined) return undefined
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

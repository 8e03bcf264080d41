import { median } from './median.ts'

/** One line of the benchmark's table. */
export interface Finding {
  readonly what: string
  readonly unit: Unit
  /** The median of `values`. */
  readonly value: number
  /** One of each round or start, in order. */
  readonly values: readonly number[]
  readonly goal?: Goal | undefined
  /** Absent where there is no goal. */
  readonly met?: boolean
}

/** What a finding's numbers are. */
export type Unit = 'x' | 'per CPU-s' | 'ms' | 's' | 'MiB' | 'calls' | 'errors'

/** What the median should be. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** Makes a finding. */
export function finding(what: string, unit: Unit, values: readonly number[], goal?: Goal): Finding {
  const value = median(values)
  const found = { what, unit, value, values }
  if (goal === undefined) return found
  return { ...found, goal, met: 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost }
}

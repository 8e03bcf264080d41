/** One condition for readiness. */
export interface ReadinessCheck {
  readonly name: string
  /** Why the daemon is not ready, as a sentence for an operator; undefined if this condition holds. */
  reason(): string | undefined
  /** What is amiss all the same, as a sentence for an operator; it makes the daemon no less ready. */
  warning?(): string | undefined
}

/** What `/readyz` tells. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly { readonly name: string; readonly reason: string }[]
  readonly warnings: readonly { readonly name: string; readonly warning: string }[]
}

/** Looks at every condition; all reasons and warnings are told at once. */
export function readiness(checks: readonly ReadinessCheck[]): Readiness {
  const reasons: { name: string; reason: string }[] = []
  const warnings: { name: string; warning: string }[] = []
  for (const check of checks) {
    const reason = check.reason()
    if (reason !== undefined) reasons.push({ name: check.name, reason })
    const warning = check.warning?.()
    if (warning !== undefined) warnings.push({ name: check.name, warning })
  }
  return { ready: reasons.length === 0, reasons, warnings }
}

/** One condition for readiness. */
export interface ReadinessCheck {
  readonly name: string
  /** Why the daemon is not ready, as a sentence for an operator; undefined if this condition holds. */
  reason(): string | undefined
}

/** What `/readyz` tells. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly { readonly name: string; readonly reason: string }[]
}

/** Looks at every condition; all reasons are told at once. */
export function readiness(checks: readonly ReadinessCheck[]): Readiness {
  const reasons: { name: string; reason: string }[] = []
  for (const check of checks) {
    const reason = check.reason()
    if (reason !== undefined) reasons.push({ name: check.name, reason })
  }
  return { ready: reasons.length === 0, reasons }
}

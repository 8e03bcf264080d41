import * as v from 'valibot'

/**
 * What became of one attempt to reach one target:
 * `self`: metadatad told its instance; `answered`: something else did, or a connection was accepted; `refused`: a reset or
 * an ICMP error came back; `silent`: nothing did; `unroutable`: the pod itself has no route, so nothing was sent.
 */
export type ProbeResult = 'self' | 'answered' | 'refused' | 'silent' | 'unroutable'

/** One target, and what became of it. */
export interface ProbeOutcome {
  /** Spelled by `canonicalAddress`. */
  readonly address: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  readonly result: ProbeResult
  /** With `self`: whose answer it was. */
  readonly instance?: string | undefined
  /** For people: an error code, or an HTTP status. */
  readonly detail?: string | undefined
}

/** All that a probe found in one round. */
export interface ProbeReport {
  /** How often it reports. */
  readonly intervalSeconds: number
  readonly outcomes: readonly ProbeOutcome[]
}

/** Longer reports are not read. One of all targets is about 7 KiB. */
export const MAX_REPORT_BYTES = 16 * 1024

const outcome = v.object({
  address: v.pipe(v.string(), v.maxLength(45)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  protocol: v.picklist(['tcp', 'udp']),
  result: v.picklist(['self', 'answered', 'refused', 'silent', 'unroutable']),
  instance: v.optional(v.pipe(v.string(), v.maxLength(64))),
  detail: v.optional(v.pipe(v.string(), v.maxLength(128))),
})

const reportSchema = v.object({
  intervalSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3_600)),
  outcomes: v.pipe(v.array(outcome), v.maxLength(128)),
})

/**
 * Reads a report. Total.
 *
 * @returns undefined if it is none
 */
export function parseReport(text: string): ProbeReport | undefined {
  try {
    const parsed = v.safeParse(reportSchema, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

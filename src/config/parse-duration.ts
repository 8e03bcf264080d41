const UNITS: Readonly<Record<string, number>> = { '': 1_000, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * A duration in milliseconds: whole seconds as a number, or digits followed by `s`, `m`, `h` or nothing (seconds).
 *
 * @returns undefined for anything else, and beyond a year
 */
export function parseDuration(value: number | string): number | undefined {
  const match = /^(\d{1,8})([smh]?)$/.exec(String(value))
  if (!match) return undefined
  const ms = Number(match[1]) * UNITS[match[2]!]!
  return ms <= 365 * 24 * 3_600_000 ? ms : undefined
}

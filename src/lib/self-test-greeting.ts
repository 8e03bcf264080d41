import * as v from 'valibot'

/** The path at which the daemon tells the probe who it is, and takes its report: reserved names of RFC 8615. */
export const SELF_TEST_PATH = '/.well-known/metadatad/self-test'

const address = v.pipe(v.string(), v.maxLength(45))

const greetingSchema = v.object({
  instance: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  node: v.pipe(v.string(), v.maxLength(253)),
  expected: v.object({
    mode: v.picklist(['none', 'redirect', 'bind']),
    captured: v.pipe(v.array(address), v.maxLength(16)),
    allow: v.pipe(v.array(v.object({ address, port: v.picklist([53, 123]) })), v.maxLength(64)),
    exempt: v.pipe(v.array(address), v.maxLength(16)),
  }),
})

/** What pods of this node should find at the metadata addresses. Addresses are spelled by `canonicalAddress`. */
export interface SelfTestExpectation {
  readonly mode: 'none' | 'redirect' | 'bind'
  /** Where the daemon answers at TCP port 80. */
  readonly captured: readonly string[]
  /** Where a resolver (port 53) or a time server (port 123) may answer: `intercept.allow`. */
  readonly allow: readonly { readonly address: string; readonly port: 53 | 123 }[]
  /** What is another program's by the operator's wish: `intercept.keepPodIdentityAgent`. */
  readonly exempt: readonly string[]
}

/** What the daemon tells the probe. */
export interface SelfTestGreeting {
  /** Another for every process: 32 hexadecimal digits. */
  readonly instance: string
  /** The daemon's node. */
  readonly node: string
  readonly expected: SelfTestExpectation
}

/**
 * Reads an answer that may be anybody's. Total.
 *
 * @returns undefined if it is no greeting
 */
export function parseGreeting(text: string): SelfTestGreeting | undefined {
  try {
    const parsed = v.safeParse(greetingSchema, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

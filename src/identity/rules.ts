import { matchesGlob } from './glob.ts'

/** One anchored glob (see `matchesGlob`), or several of which one must match. */
export type Globs = string | readonly string[]

/**
 * A rule of the operator (`rules:` of the configuration): who may use which cloud identity. A part left out matches
 * everything. The identity of a ServiceAccount that names none in its annotations is called `federated`, or by its IAM member.
 */
export interface IdentityRule {
  readonly namespace?: Globs | undefined
  readonly serviceAccount?: Globs | undefined
  readonly identity?: Globs | undefined
  readonly allow: boolean
}

/** What the rules are asked about. */
export interface IdentityUse {
  readonly namespace: string
  readonly serviceAccount: string
  /** Every name the identity goes by; a rule matches if one of its globs matches one of them. */
  readonly identities: readonly string[]
}

/** Decides by the operator's rules: true means allowed. */
export type IdentityRules = (use: IdentityUse) => boolean

/**
 * The first rule that matches decides. With no rules everything is allowed; with rules of which none matches, nothing
 * is, so that a list of `allow: true` needs no closing refusal.
 */
export function createIdentityRules(rules: readonly IdentityRule[]): IdentityRules {
  if (rules.length === 0) return () => true
  const spelled = rules.map((rule) => ({ ...rule, identity: inLowerCase(rule.identity) }))
  return ({ namespace, serviceAccount, identities }) =>
    spelled.find(
      (rule) =>
        matchesAny(rule.namespace, [namespace]) &&
        matchesAny(rule.serviceAccount, [serviceAccount]) &&
        matchesAny(rule.identity, identities),
    )?.allow ?? false
}

/** A glob of hexadecimal digits and hyphens: case means nothing in a GUID (RFC 9562), and ours are in lower case. */
const GUID_GLOB = /^[0-9A-Fa-f?*-]*-[0-9A-Fa-f?*-]*$/

function inLowerCase(globs: Globs | undefined): Globs | undefined {
  if (globs === undefined) return undefined
  return [globs].flat().map((glob) => (GUID_GLOB.test(glob) ? glob.toLowerCase() : glob))
}

function matchesAny(globs: Globs | undefined, names: readonly string[]): boolean {
  if (globs === undefined) return true
  const patterns = typeof globs === 'string' ? [globs] : globs
  return patterns.some((pattern) => names.some((name) => matchesGlob(pattern, name)))
}

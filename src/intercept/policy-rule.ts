import { METADATA_ADDRESSES } from '../lib/metadata-addresses.ts'
import { REDIRECT_IPV4, REDIRECT_IPV6 } from './capture.ts'
import { familyOf, type InterceptPlan } from './intercept-plan.ts'
import { arrayOf, objectOf, textOf } from './json-values.ts'

/** What the second lock decides before (`pass`) and where it cuts off (`cut`); the table `local` is before both. */
const PREFERENCE = { pass: 49, cut: 50 } as const

/** One rule of policy routing (ip-rule(8)) as the second lock has them: it holds when the firewall has been flushed. */
export interface PolicyRule {
  readonly family: 4 | 6
  readonly address: string
  /** The rest as `ip rule add` takes it, behind `pref N to ADDRESS`; the rule's spelling for comparisons as well. */
  readonly text: string
}

const PASS_HOST = 'iif lo lookup main'
const CUT = 'blackhole'

/** The second lock: what passes first, so that adding them in this order cuts nothing off that is allowed. */
export function policyRules({ guarded, redirects, allow, ipv6 }: InterceptPlan): PolicyRule[] {
  const rule = (address: string, text: string): PolicyRule => ({ family: familyOf(address), address, text })
  const rules = [
    ...guarded.map((address) => rule(address, PASS_HOST)),
    ...allow.flatMap(({ address, port }) =>
      (port === 53 ? ['tcp', 'udp'] : ['udp']).map((protocol) =>
        rule(address, `ipproto ${protocol} dport ${port} lookup main`),
      ),
    ),
    ...[...guarded, ...redirects].map((address) => rule(address, CUT)),
  ]
  return rules.filter(({ family }) => family === 4 || ipv6)
}

/** `add` or `del` of a rule, as arguments of `ip rule`. */
export function policyRuleArgs(verb: 'add' | 'del', { address, text }: PolicyRule): string {
  const preference = text === CUT ? PREFERENCE.cut : PREFERENCE.pass
  return `rule ${verb} pref ${preference} to ${address} ${text}`
}

const LOCKED: ReadonlySet<unknown> = new Set([
  ...METADATA_ADDRESSES.map(({ address }) => address),
  REDIRECT_IPV4,
  REDIRECT_IPV6,
])

/**
 * The rules of the second lock, and whatever looks like one, among all of the node.
 *
 * @param listed what `ip -j rule` printed, parsed
 */
export function listedPolicyRules(listed: unknown): PolicyRule[] {
  return arrayOf(listed).flatMap((entry) => {
    const { priority, src, dst, iif, ipproto, dport, table, action, ...others } = objectOf(entry)
    if (!LOCKED.has(dst) || src !== 'all' || Object.keys(others).length > 0) return []
    const address = textOf(dst)
    const words = [
      ...(iif === undefined ? [] : ['iif', iif]),
      ...(ipproto === undefined ? [] : ['ipproto', ipproto]),
      ...(dport === undefined ? [] : ['dport', dport]),
      ...(action === undefined ? ['lookup', table] : [action]),
    ]
    const text = words.map(textOf).join(' ')
    if (priority !== (text === CUT ? PREFERENCE.cut : PREFERENCE.pass)) return []
    return [{ family: familyOf(address), address, text }]
  })
}

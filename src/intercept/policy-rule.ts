import { METADATA_ADDRESSES } from '../lib/metadata-addresses.ts'
import { REDIRECT_IPV4, REDIRECT_IPV6 } from './capture.ts'
import { familyOf, type InterceptPlan } from './intercept-plan.ts'
import { arrayOf, objectOf, textOf } from './json-values.ts'
import { PROBE_PORTS } from './probe-ports.ts'

/**
 * Where the second lock passes packets on to the rules behind it (`goto`), where it cuts off, and where it goes on. Before all
 * rules of network plugins that lead some pods' packets elsewhere: the AWS VPC CNI has 10 for pods with security groups.
 */
const PREFERENCE = { pass: 2, cut: 3, goOn: 4 } as const

/** One rule of policy routing (ip-rule(8)) as the second lock has them: it holds when the firewall has been flushed. */
export interface PolicyRule {
  readonly family: 4 | 6
  /** Where packets go; `all` for the rule that does nothing but be the target of `goto`. */
  readonly address: string
  /** The rest as `ip rule add` takes it, behind `pref N to ADDRESS`; the rule's spelling for comparisons as well. */
  readonly text: string
}

/** By number: `ip` looks names up in /etc/protocols, which slim images do not have. */
const TCP = 6
const UDP = 17
const PASS = `goto ${PREFERENCE.goOn}`
const PASS_HOST = `iif lo ${PASS}`
/** Of what is captured; the table `local` may have been moved behind ours: Cilium does, to 100. */
const DELIVER = 'lookup local'
const CUT = 'blackhole'
const GO_ON = 'nop'

/** The second lock: what passes first, so that adding them in this order cuts nothing off that is allowed. */
export function policyRules({
  guarded,
  redirects,
  addresses,
  probers,
  allow,
  ipv6,
}: InterceptPlan): PolicyRule[] {
  const rule = (address: string, text: string): PolicyRule => ({ family: familyOf(address), address, text })
  const rules = [
    ...([4, 6] as const).map((family): PolicyRule => ({ family, address: 'all', text: GO_ON })),
    ...addresses.map((address) => rule(address, DELIVER)),
    ...guarded.map((address) => rule(address, PASS_HOST)),
    ...allow.flatMap(({ address, port }) =>
      (port === 53 ? [TCP, UDP] : [UDP]).map((protocol) =>
        rule(address, `ipproto ${protocol} dport ${port} ${PASS}`),
      ),
    ),
    ...probers.flatMap((address) =>
      PROBE_PORTS.map((ports) => rule(address, `ipproto ${TCP} dport ${ports} ${PASS}`)),
    ),
    ...[...guarded, ...redirects].map((address) => rule(address, CUT)),
  ]
  return rules.filter(({ family }) => family === 4 || ipv6)
}

/** `add` or `del` of a rule, as arguments of `ip rule`. */
export function policyRuleArgs(verb: 'add' | 'del', { address, text }: PolicyRule): string {
  return `rule ${verb} pref ${preferenceOf(text)} to ${address} ${text}`
}

function preferenceOf(text: string): number {
  if (text === GO_ON) return PREFERENCE.goOn
  return text === CUT ? PREFERENCE.cut : PREFERENCE.pass
}

const LOCKED: ReadonlySet<unknown> = new Set([
  ...METADATA_ADDRESSES.map(({ address }) => address),
  REDIRECT_IPV4,
  REDIRECT_IPV6,
])

/** `ip` prints a name where it can, else `ipproto-6`. */
function protocolNumber(printed: unknown): unknown {
  if (printed === 'tcp') return TCP
  if (printed === 'udp') return UDP
  return typeof printed === 'string' ? printed.replace(/^ipproto-/, '') : printed
}

/**
 * The rules of the second lock, and whatever looks like one, among all of the node.
 *
 * @param listed what `ip -j rule` printed for this family, parsed
 */
export function listedPolicyRules(family: 4 | 6, listed: unknown): PolicyRule[] {
  return arrayOf(listed).flatMap((entry) => {
    const {
      priority,
      src,
      dst,
      iif,
      ipproto,
      dport,
      dport_start,
      dport_end,
      table,
      goto,
      unresolved: _,
      nop,
      action,
      ...others
    } = objectOf(entry)
    if (src !== 'all' || Object.keys(others).length > 0) return []
    const ports = dport ?? (dport_start === undefined ? undefined : `${dport_start}-${dport_end}`)
    const words = [
      ...(iif === undefined ? [] : ['iif', iif]),
      ...(ipproto === undefined ? [] : ['ipproto', protocolNumber(ipproto)]),
      ...(ports === undefined ? [] : ['dport', ports]),
      ...(goto === undefined ? [] : ['goto', goto]),
      ...(nop === undefined ? [] : ['nop']),
      ...(table === undefined ? [] : ['lookup', table]),
      ...(action === undefined ? [] : [action]),
    ]
    const text = words.map(textOf).join(' ')
    if (dst === undefined ? text !== GO_ON : !LOCKED.has(dst)) return []
    if (priority !== preferenceOf(text)) return []
    return [{ family, address: textOf(dst ?? 'all'), text }]
  })
}

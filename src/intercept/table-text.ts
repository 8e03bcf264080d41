import { familyOf, type InterceptPlan } from './intercept-plan.ts'
import type { CapturePorts } from './interception.ts'
import { PROBE_PORTS } from './probe-ports.ts'
import type { TableContents } from './table-contents.ts'

/**
 * How long a daemon that said it serves is believed. It says so each half a second, but on a node whose processors are saturated, as
 * they are while pods start, it may get to it seconds later. Only one that stands still is believed too long: the ports of one that ended
 * refuse by themselves, and that is swallowed.
 */
export const SERVED_FOR = '8s'

/**
 * The rules, as `nft -f` takes them.
 *
 * Packets that come in from anywhere but `lo` are treated as pods'; what the node's own processes send never passes
 * `prerouting` or `forward`. Every rule has a comment of its own, which names it where it is missing.
 *
 * @param name `inet metadatad`, but for a copy that is only looked at
 * @param contents undefined: without elements
 */
export function tableText(
  plan: InterceptPlan,
  contents: TableContents | undefined,
  { name = 'metadatad', dormant = false, reversePath = contents?.reversePath ?? true } = {},
): string {
  const chains = [
    ...(reversePath ? [chain('reverse', 'filter hook prerouting priority -310', reverseRules(plan))] : []),
    chain('raw', 'filter hook prerouting priority -300', rawRules(plan)),
    // Before dstnat (-100), where other agents' rules for the same addresses are.
    chain('capture', 'nat hook prerouting priority -110', captureRules()),
    // After dstnat: a node port's packets are for a pod by now.
    chain('forged', 'filter hook prerouting priority -90', forgedRules(plan)),
    chain('gate', 'filter hook input priority -10', gateRules(plan)),
    chain('transit', 'filter hook forward priority -10', transitRules(plan)),
    chain('answers', 'filter hook output priority -10', answerRules(plan)),
  ]
  const generation = contents ? [String(contents.generation)] : []
  const sets = [
    set('set generation', 'type mark', generation),
    ...([4, 6] as const).flatMap((family) => [
      set(
        `map capture${family}`,
        `type ipv${family}_addr : ipv${family}_addr . inet_service`,
        contents ? captureElements(plan, contents, family) : [],
      ),
      set(
        `set served${family}`,
        `type ipv${family}_addr . inet_service; flags timeout`,
        contents ? servedElements(contents, family) : [],
      ),
    ]),
  ]
  return `table inet ${name} {\n${dormant ? '  flags dormant\n' : ''}${[...sets, ...chains].join('')}}\n`
}

/** Where each capture arrives when no update is under way. */
export function primaryPorts({ captures }: InterceptPlan): CapturePorts {
  return new Map(captures.map(({ original, primary }) => [original.host, primary.port]))
}

function captureElements(plan: InterceptPlan, { ports }: TableContents, family: 4 | 6): string[] {
  return plan.captures
    .filter(({ original }) => familyOf(original.host) === family)
    .map(({ original, primary }) => captureElement(original.host, primary.host, ports.get(original.host)!))
}

/** An element of the map of captures. */
export function captureElement(original: string, host: string, port: number): string {
  return `${original} : ${host} . ${port}`
}

function servedElements({ served }: TableContents, family: 4 | 6): string[] {
  return served
    .filter(({ host }) => familyOf(host) === family)
    .map(({ host, port }) => `${host} . ${port} timeout ${SERVED_FOR}`)
}

function set(name: string, definition: string, elements: readonly string[]): string {
  const lines = [
    ...definition.split('; '),
    ...(elements.length ? [`elements = { ${elements.join(', ')} }`] : []),
  ]
  return `  ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`
}

const PROBER = `{ ${PROBE_PORTS.join(', ')} }`

type Rule = readonly [rule: string, comment: string]

function chain(name: string, hook: string, rules: readonly Rule[]): string {
  const lines = rules.map(([rule, comment]) => `    ${rule} comment "${comment}"\n`)
  return `  chain ${name} {\n    type ${hook}; policy accept;\n${lines.join('')}  }\n`
}

const HOST: Rule = ['iif "lo" accept', 'host processes are left alone']

/** `ip daddr { … }` for each family that has any of these addresses. */
function matching(
  field: 'saddr' | 'daddr',
  addresses: readonly string[],
): { family: 4 | 6; match: string }[] {
  return ([4, 6] as const).flatMap((family) => {
    const some = addresses.filter((address) => familyOf(address) === family)
    if (some.length === 0) return []
    return [{ family, match: `${family === 4 ? 'ip' : 'ip6'} ${field} { ${some.join(', ')} }` }]
  })
}

function reverseRules({ guarded }: InterceptPlan): Rule[] {
  return [
    HOST,
    ...matching('daddr', guarded).map(
      ({ family, match }): Rule => [
        `${match} fib saddr . iif oif missing drop`,
        `an IPv${family} sender that is not routed back to where it came from`,
      ],
    ),
  ]
}

function rawRules({ captures, guarded, redirects, probers, allow }: InterceptPlan): Rule[] {
  const originals = captures.map(({ original }) => original.host)
  return [
    HOST,
    ...matching('daddr', redirects).map(
      ({ family, match }): Rule => [
        `${match} drop`,
        `the IPv${family} redirect address is for redirected connections alone`,
      ],
    ),
    ...matching('daddr', originals).map(
      ({ family, match }): Rule => [`${match} tcp dport 80 accept`, `what is captured over IPv${family}`],
    ),
    ...allowed('daddr', 'dport', allow),
    ...matching('daddr', probers).map(
      ({ match }): Rule => [`${match} tcp dport ${PROBER} accept`, 'answers to a load balancer, perhaps'],
    ),
    ...matching('daddr', guarded).map(
      ({ family, match }): Rule => [`${match} drop`, `everything else at an IPv${family} metadata address`],
    ),
  ]
}

function captureRules(): Rule[] {
  return [
    HOST,
    ['tcp dport 80 dnat ip to ip daddr map @capture4', 'redirect over IPv4'],
    ['tcp dport 80 dnat ip6 to ip6 daddr map @capture6', 'redirect over IPv6'],
  ]
}

/** A pod that forged a load balancer's connection would open the way to its address for its own answers. */
function forgedRules({ probers }: InterceptPlan): Rule[] {
  return [
    HOST,
    ...matching('saddr', probers).map(
      ({ match }): Rule => [
        `${match} fib daddr type != local fib saddr . iif oif missing drop`,
        'a load balancer that comes from elsewhere',
      ],
    ),
  ]
}

function gateRules({ addresses, captures }: InterceptPlan): Rule[] {
  const originals = captures.map(({ original }) => original.host)
  return [
    HOST,
    ...matching('daddr', addresses).map(({ family, match }): Rule => {
      const some = originals.filter((address) => familyOf(address) === family).join(', ')
      return [
        `${match} ct original ${family === 4 ? 'ip' : 'ip6'} daddr != { ${some} } drop`,
        `IPv${family} connections that dialled something else do not arrive here`,
      ]
    }),
    ...matching('daddr', addresses).map(({ family, match }): Rule => {
      const served = `${family === 4 ? 'ip' : 'ip6'} daddr . tcp dport != @served${family}`
      return [
        `${match} tcp flags & (fin | syn | rst | ack) == syn ${served} drop`,
        `an IPv${family} connection to a port that nobody serves waits`,
      ]
    }),
  ]
}

function transitRules({ guarded, redirects, probers, allow }: InterceptPlan): Rule[] {
  return [
    ...allowed('daddr', 'dport', allow),
    ...allowed('saddr', 'sport', allow),
    ...matching('daddr', probers).map(
      ({ match }): Rule => [
        `${match} tcp dport ${PROBER} ct direction reply accept`,
        'answers to connections of a load balancer',
      ],
    ),
    ...matching('saddr', probers).map(
      ({ match }): Rule => [
        `${match} tcp sport ${PROBER} ct direction original accept`,
        'connections of a load balancer',
      ],
    ),
    ...matching('daddr', [...guarded, ...redirects]).map(
      ({ family, match }): Rule => [`${match} drop`, `no IPv${family} packet passes to a metadata address`],
    ),
    ...matching('saddr', guarded).map(
      ({ family, match }): Rule => [`${match} drop`, `no IPv${family} packet passes from a metadata address`],
    ),
  ]
}

function answerRules({ addresses }: InterceptPlan): Rule[] {
  return [
    ['oif "lo" accept', 'host processes are left alone'],
    ...matching('saddr', addresses).map(
      ({ family, match }): Rule => [
        `${match} tcp flags == (rst | ack) tcp sequence 0 drop`,
        `an IPv${family} connection to a dead listener waits`,
      ],
    ),
  ]
}

function allowed(field: 'saddr' | 'daddr', port: 'sport' | 'dport', allow: InterceptPlan['allow']): Rule[] {
  return allow.map((entry): Rule => {
    // By number, as `nft` may look names up in /etc/protocols, which slim images do not have.
    const protocols = entry.port === 53 ? '{ 6, 17 }' : '17'
    const [{ match } = { match: '' }] = matching(field, [entry.address])
    return [
      `${match} meta l4proto ${protocols} th ${port} ${entry.port} accept`,
      `allowed ${port === 'dport' ? 'to' : 'from'} ${entry.address} port ${entry.port}`,
    ]
  })
}

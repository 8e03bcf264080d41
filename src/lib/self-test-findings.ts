import { METADATA_ADDRESSES } from './metadata-addresses.ts'
import type { SelfTestExpectation } from './self-test-greeting.ts'
import type { ProbeOutcome } from './self-test-report.ts'
import { withoutControls } from './without-controls.ts'

/**
 * `reached`: a pod got through to something that is not the daemon, or past it; `foreign`: what answers in the daemon's
 * place is another; `unanswered`: nothing answers there; `refused`: blocked, but by a refusal, at which SDKs give up,
 * where a dropped packet makes them try again; `untested`: the report says nothing of it.
 */
export const FINDING_KINDS = ['reached', 'foreign', 'unanswered', 'refused', 'untested'] as const

/** One thing that pods find, or can't be shown not to find, that they should not. */
export interface SelfTestFinding {
  readonly kind: (typeof FINDING_KINDS)[number]
  readonly address: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  /** For an operator, on one line: `169.254.169.254 tcp/443 answered`. */
  readonly message: string
}

const KNOWN: ReadonlySet<string> = new Set(METADATA_ADDRESSES.map(({ address }) => address))

/**
 * What a probe's outcomes show to be wrong; nothing if pods reach this daemon where it answers, and nothing else anywhere.
 *
 * @param instance the daemon's own; any other in an answer is another daemon's
 */
export function selfTestFindings(
  expected: SelfTestExpectation,
  instance: string,
  outcomes: readonly ProbeOutcome[],
): readonly SelfTestFinding[] {
  const findings: SelfTestFinding[] = []
  const captured = new Set(expected.captured)
  const exempt = new Set(expected.exempt)
  const tested = new Set<string>()
  let reached = false
  for (const outcome of outcomes) {
    const { address, port, protocol } = outcome
    const web = protocol === 'tcp' && port === 80
    if (web) tested.add(address)
    if (exempt.has(address) || isAllowed(expected, outcome)) continue
    // Only mode `redirect` has addresses of its own that pods must not dial.
    if (expected.mode !== 'redirect' && !KNOWN.has(address)) continue
    const own = web && captured.has(address)
    if (own && outcome.result === 'self' && outcome.instance === instance) reached = true
    const kind = own ? kindOfCaptured(outcome, instance) : kindOfBlocked(outcome)
    if (kind !== undefined) findings.push({ kind, address, port, protocol, message: describe(outcome, kind) })
  }
  const missing = METADATA_ADDRESSES.filter(({ address }) => !tested.has(address) && !exempt.has(address))
  for (const { address } of missing) {
    findings.push({ kind: 'untested', ...web(address), message: `${address} tcp/80 was not tested` })
  }
  // A pod of one address family has no route to the addresses of the other; to one of them it must have.
  const [first] = expected.captured
  if (!reached && first !== undefined && findings.length === 0) {
    findings.push({
      kind: 'unanswered',
      ...web(first),
      message: 'no metadata address is routed from the pod',
    })
  }
  return findings
}

function web(address: string) {
  return { address, port: 80, protocol: 'tcp' } as const
}

function isAllowed({ allow }: SelfTestExpectation, { address, port, protocol }: ProbeOutcome): boolean {
  return (
    (port !== 123 || protocol === 'udp') && allow.some((it) => it.address === address && it.port === port)
  )
}

function kindOfCaptured(
  { result, instance }: ProbeOutcome,
  own: string,
): SelfTestFinding['kind'] | undefined {
  if (result === 'self') return instance === own ? undefined : 'foreign'
  if (result === 'answered') return 'foreign'
  if (result === 'silent') return 'unanswered'
  return result === 'refused' ? 'refused' : undefined
}

function kindOfBlocked({ result }: ProbeOutcome): SelfTestFinding['kind'] | undefined {
  if (result === 'self' || result === 'answered') return 'reached'
  return result === 'refused' ? 'refused' : undefined
}

function describe(outcome: ProbeOutcome, kind: SelfTestFinding['kind']): string {
  const { address, port, protocol, detail } = outcome
  const said = {
    reached: 'answered, and should be blocked',
    foreign: 'was answered by something else than the metadatad of this node',
    unanswered: 'was not answered',
    refused: 'was refused, and should be dropped',
    untested: 'was not tested',
  }[kind]
  const because = detail === undefined ? '' : ` (${detail})`
  return withoutControls(`${address} ${protocol}/${port} ${said}${because}`)
}

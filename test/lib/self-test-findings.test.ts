import t from 'tap'
import { METADATA_ADDRESSES } from '../../src/lib/metadata-addresses.ts'
import { selfTestFindings } from '../../src/lib/self-test-findings.ts'
import type { SelfTestExpectation } from '../../src/lib/self-test-greeting.ts'
import type { ProbeOutcome } from '../../src/lib/self-test-report.ts'

const CAPTURED = ['169.254.169.254', 'fd00:ec2::254', 'fd20:ce::254']
const EXPECTED: SelfTestExpectation = { mode: 'redirect', captured: CAPTURED, allow: [], exempt: [] }
const OWN = 'own'

/** A round in which all is well, but for some outcomes. */
function outcomes(...changes: readonly Partial<ProbeOutcome>[]): ProbeOutcome[] {
  const all: ProbeOutcome[] = METADATA_ADDRESSES.map(({ address }) => {
    const target = { address, port: 80, protocol: 'tcp' } as const
    return CAPTURED.includes(address)
      ? { ...target, result: 'self', instance: OWN }
      : { ...target, result: 'silent' }
  })
  for (const change of changes) {
    const target = {
      address: '169.254.169.254',
      port: 80,
      protocol: 'tcp',
      result: 'silent',
      ...change,
    } as const
    const at = all.findIndex(
      (it) => it.address === target.address && it.port === target.port && it.protocol === target.protocol,
    )
    if (at < 0) all.push(target)
    else all[at] = target
  }
  return all
}

const found = (changes: readonly Partial<ProbeOutcome>[], expected: Partial<SelfTestExpectation> = {}) =>
  selfTestFindings({ ...EXPECTED, ...expected }, OWN, outcomes(...changes)).map(
    ({ kind, message }) => `${kind}: ${message}`,
  )

t.test('pods that reach the daemon and nothing else prove the interception', async (t) => {
  t.strictSame(found([]), [])
  t.strictSame(found([{ port: 443 }, { port: 53, protocol: 'udp' }]), [])
})

t.test('whatever gets through, or is refused, is found', async (t) => {
  t.strictSame(found([{ port: 443, result: 'answered' }]), [
    'reached: 169.254.169.254 tcp/443 answered, and should be blocked',
  ])
  t.strictSame(found([{ address: '169.254.170.2', result: 'refused', detail: 'ECONNREFUSED' }]), [
    'refused: 169.254.170.2 tcp/80 was refused, and should be dropped (ECONNREFUSED)',
  ])
  t.strictSame(found([{ address: '169.254.170.2', result: 'self', instance: OWN }]), [
    'reached: 169.254.170.2 tcp/80 answered, and should be blocked',
  ])
  t.match(found([{ result: 'answered', detail: 'HTTP 404' }]), [/^foreign: .*something else.*\(HTTP 404\)$/])
  t.match(found([{ result: 'self', instance: 'other' }]), [/^foreign: /])
  t.match(found([{ result: 'silent' }]), [/^unanswered: 169\.254\.169\.254 tcp\/80 was not answered$/])
  t.match(found([{ result: 'refused', detail: 'ECONNREFUSED' }]), [/^refused: /])
})

t.test('a detail can not forge a line of the log', async (t) => {
  const [line] = found([{ port: 443, result: 'answered', detail: 'a\nb\x1b[0m' }])
  t.notMatch(line, /[\x00-\x1f]/)
})

t.test('what the operator allows or leaves to others is not looked at, and nothing more', async (t) => {
  const dns = { port: 53, result: 'answered' } as const
  const allow = [{ address: '169.254.169.254', port: 53 }] as const
  t.strictSame(found([dns, { ...dns, protocol: 'udp' }], { allow }), [])
  t.equal(found([{ ...dns, address: '169.254.170.2' }], { allow }).length, 1)
  const ntp = [{ address: '169.254.169.254', port: 123 }] as const
  t.strictSame(found([{ port: 123, protocol: 'udp', result: 'answered' }], { allow: ntp }), [])
  t.equal(found([{ port: 123, protocol: 'tcp', result: 'answered' }], { allow: ntp }).length, 1)
  const agent = { address: '169.254.170.23', result: 'answered' } as const
  t.strictSame(found([agent], { exempt: ['169.254.170.23'] }), [])
  t.equal(found([agent]).length, 1)
})

t.test('an address of the redirection itself matters only in that mode', async (t) => {
  const direct = { address: '169.254.169.252', port: 988, result: 'answered' } as const
  t.match(found([direct]), [/^reached: /])
  t.strictSame(found([direct], { mode: 'bind' }), [])
})

t.test('a pod needs no route of the family it does not have, but one of them', async (t) => {
  const none = (family: 4 | 6) =>
    METADATA_ADDRESSES.filter((it) => it.family === family).map(
      ({ address }) => ({ address, result: 'unroutable' }) as const,
    )
  t.strictSame(found(none(6)), [])
  t.strictSame(found(none(4)), [])
  t.match(found([...none(4), ...none(6)]), [/^unanswered: no metadata address is routed from the pod$/])
})

t.test('a report proves nothing of what it does not tell', async (t) => {
  const findings = selfTestFindings(EXPECTED, OWN, outcomes().slice(1))
  t.match(findings, [{ kind: 'untested', address: METADATA_ADDRESSES[0]!.address }])
  t.equal(selfTestFindings(EXPECTED, OWN, []).length, METADATA_ADDRESSES.length)
})

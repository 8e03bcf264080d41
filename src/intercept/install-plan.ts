import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { interceptError } from './intercept-error.ts'
import { familyOf, type InterceptPlan } from './intercept-plan.ts'
import { driftOf, type KernelView } from './kernel-view.ts'
import { missingFeatures } from './missing-features.ts'
import { type PolicyRule, policyRuleArgs } from './policy-rule.ts'
import { failed, type Programs } from './programs.ts'
import { primaryPorts, tableText } from './table-text.ts'

/** Each attempt that fails because of another writer is that writer's success; so many at once there are not. */
const MAX_ATTEMPTS = 6

export interface InstallPlan {
  readonly plan: InterceptPlan
  readonly programs: Programs
  readonly clock: Clock
  readonly log: Log
  readonly view: () => Promise<KernelView>
  readonly reversePath: boolean | undefined
}

/**
 * Puts in place what is not. The second lock comes first, then the rules, then the addresses that they redirect to: between
 * two of these steps less passes than afterwards, never more.
 *
 * @returns what is there then
 */
export async function installPlan(install: InstallPlan): Promise<KernelView> {
  let refused: { readonly error: Error; readonly generation: number | undefined } | undefined
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const view = await install.view()
    const reversePath = install.reversePath ?? view.table?.reversePath ?? false
    const inPlace = driftOf(view).length === 0 && view.table?.reversePath === reversePath
    if (inPlace) return view
    if (refused && refused.generation === view.table?.generation) throw refused.error
    await putRoutes(view, install.programs)
    const error = await putTable(view, reversePath, install)
    await putAddresses(view, install.programs)
    refused = error && { error, generation: view.table?.generation }
  }
  const [first] = driftOf(await install.view())
  throw interceptError(
    'INTERCEPT_FAILED',
    `something changes the rules as fast as they are mended: ${first?.message ?? 'the reverse-path rule'}`,
    'Look for another program that manages nftables, policy routes or addresses of lo on this node.',
  )
}

async function putRoutes({ missingRoutes, extraRoutes }: KernelView, programs: Programs): Promise<void> {
  for (const family of [4, 6] as const) {
    const of = (rules: readonly PolicyRule[]) => rules.filter((rule) => rule.family === family)
    const lines = [
      ...of(missingRoutes).map((rule) => policyRuleArgs('add', rule)),
      ...of(extraRoutes).map((rule) => policyRuleArgs('del', rule)),
    ]
    // With `-force`, one that somebody else has just added or deleted stops nothing; the next look tells the rest.
    if (lines.length === 0) continue
    const result = await programs.run('ip', [`-${family}`, '-force', '-batch', '-'], `${lines.join('\n')}\n`)
    const others = result.stderr.replace(
      /^(?:.*(?:File exists|No such (?:file|process)).*|Command failed.*)$/gm,
      '',
    )
    if (result.status !== 0 && others.trim()) throw failed('ip', result)
  }
}

/** @returns why it was refused: perhaps because somebody was faster */
async function putTable(
  { table }: KernelView,
  reversePath: boolean,
  { plan, programs, clock, log }: InstallPlan,
): Promise<Error | undefined> {
  if (table && table.drift.length === 0 && table.reversePath === reversePath) return undefined
  const contents = {
    // Higher than what any earlier table reached: nobody mistakes it for one that he knew.
    generation: table?.generation ?? Math.floor(clock.now() / 1_000) % 0xffff_ffff,
    ports: table?.ports ?? primaryPorts(plan),
    served: table?.served ?? [],
    reversePath,
  }
  const before = !table
    ? 'create table inet metadatad\n'
    : table.generation === undefined
      ? 'delete table inet metadatad\n'
      : `delete element inet metadatad generation { ${table.generation} }\ndelete table inet metadatad\n`
  const result = await programs.run('nft', ['-f', '-'], before + tableText(plan, contents))
  if (result.status === 0) {
    const drift = table?.drift.map(({ message }) => message)
    log.info({ generation: contents.generation, reversePath, drift }, 'interception rules written')
    return undefined
  }
  const missing = await missingFeatures(programs)
  if (missing.length === 0) return failed('nft', result)
  throw interceptError(
    'INTERCEPT_UNAVAILABLE',
    `the kernel or nft of this node lacks: ${missing.join(', ')}`,
    'Load the modules named, or use a newer kernel and nftables 1.0.',
  )
}

async function putAddresses({ missingAddresses }: KernelView, programs: Programs): Promise<void> {
  for (const address of missingAddresses) await programs.must('ip', addressArgs('replace', address))
}

/**
 * Arguments of `ip` for an address of `lo`, which is never chosen as the source of what the node sends: of scope host,
 * or deprecated (RFC 4862 section 5.5.4). `replace` is content if it is there.
 */
export function addressArgs(verb: 'replace' | 'del', address: string): string[] {
  const v4 = familyOf(address) === 4
  const options = verb === 'del' ? [] : v4 ? ['scope', 'host'] : ['nodad', 'preferred_lft', '0']
  return ['address', verb, `${address}/${v4 ? 32 : 128}`, 'dev', 'lo', ...options]
}

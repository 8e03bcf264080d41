import type { ListenAddress } from '../config/config.ts'
import type { InterceptPlan } from './intercept-plan.ts'
import type { CapturePorts, Drift } from './interception.ts'
import { arrayOf, objectOf, parseJson } from './json-values.ts'
import { type ListedTable, listedTable } from './listed-table.ts'
import { listedPolicyRules, type PolicyRule, policyRules } from './policy-rule.ts'
import type { Programs } from './programs.ts'
import { failed } from './programs.ts'
import { readContents } from './read-contents.ts'
import { OPTIONAL_CHAIN, tableDrift } from './table-drift.ts'

/** Everything of the interception that the kernel holds, and how it differs from the plan. */
export interface KernelView {
  readonly table:
    | {
        readonly generation: number | undefined
        readonly ports: CapturePorts
        readonly served: readonly ListenAddress[]
        readonly reversePath: boolean
        readonly drift: readonly Drift[]
      }
    | undefined
  readonly missingAddresses: readonly string[]
  readonly missingRoutes: readonly PolicyRule[]
  readonly extraRoutes: readonly PolicyRule[]
}

/** @param wanted how the rules of the plan are listed; asked for only where there is a table */
export async function kernelView(
  plan: InterceptPlan,
  programs: Programs,
  wanted: () => Promise<ListedTable>,
): Promise<KernelView> {
  const [table, link, ...rules] = await Promise.all([
    listTable(programs, 'metadatad'),
    programs.must('ip', ['-j', 'address', 'show', 'dev', 'lo']),
    ...(plan.ipv6 ? ([4, 6] as const) : ([4] as const)).map(async (family) =>
      listedPolicyRules(family, parseJson(await programs.must('ip', ['-j', `-${family}`, 'rule']))),
    ),
  ])
  const onLo = arrayOf(parseJson(link)).flatMap((entry) =>
    arrayOf(objectOf(entry).addr_info).map((info) => objectOf(info).local),
  )
  const routes = rules.flat()
  const wantedRoutes = policyRules(plan)
  const key = ({ family, address, text }: PolicyRule) => `${family} ${address} ${text}`
  const has = (some: readonly PolicyRule[], rule: PolicyRule) => some.some((one) => key(one) === key(rule))
  return {
    table: table && (await viewed(table, plan, wanted)),
    missingAddresses: plan.addresses.filter((address) => !onLo.includes(address)),
    missingRoutes: wantedRoutes.filter((rule) => !has(routes, rule)),
    extraRoutes: routes.filter((rule) => !has(wantedRoutes, rule)),
  }
}

async function viewed(table: ListedTable, plan: InterceptPlan, wanted: () => Promise<ListedTable>) {
  const contents = readContents(table, plan)
  return {
    ...contents,
    reversePath: table.definitions.has(`chain ${OPTIONAL_CHAIN}`),
    drift: [...tableDrift(table, await wanted()), ...contents.drift],
  }
}

/** A table of the family inet; undefined if there is none of this name. */
export async function listTable(programs: Programs, name: string): Promise<ListedTable | undefined> {
  const result = await programs.run('nft', ['-j', 'list', 'table', 'inet', name])
  if (result.status === 0) return listedTable(parseJson(result.stdout))
  if (result.stderr.includes('No such file or directory')) return undefined
  throw failed('nft', result)
}

/** What an operator is told of it. */
export function driftOf(view: KernelView): Drift[] {
  return [
    ...(view.table?.drift ?? [{ what: 'table' as const, message: 'the table inet metadatad is missing' }]),
    ...view.missingAddresses.map((address) => ({
      what: 'address' as const,
      message: `the address ${address} is not on lo`,
    })),
    ...view.missingRoutes.map(({ address, text }) => ({
      what: 'route' as const,
      message: `the policy route of ${address} is missing: ${text}`,
    })),
    ...view.extraRoutes.map(({ address, text }) => ({
      what: 'route' as const,
      message: `a policy route of ${address} should not be there: ${text}`,
    })),
  ]
}

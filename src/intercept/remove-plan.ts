import { addressArgs } from './install-plan.ts'
import type { InterceptPlan } from './intercept-plan.ts'
import { parseJson } from './json-values.ts'
import { listedPolicyRules, policyRuleArgs } from './policy-rule.ts'
import type { Programs } from './programs.ts'
import { dropTable, referenceName } from './reference-table.ts'

/** Takes the rules, the addresses and the second lock away, in this order; what is not there is no failure. */
export async function removePlan(plan: InterceptPlan, programs: Programs): Promise<void> {
  await programs.must('nft', ['-f', '-'], dropTable('metadatad') + dropTable(referenceName(plan)))
  for (const address of plan.addresses) await programs.run('ip', addressArgs('del', address))
  for (const family of plan.ipv6 ? ([4, 6] as const) : ([4] as const)) {
    const listed = await programs.must('ip', ['-j', `-${family}`, 'rule'])
    const rules = listedPolicyRules(family, parseJson(listed))
    const lines = rules.map((rule) => `${policyRuleArgs('del', rule)}\n`).join('')
    if (lines) await programs.run('ip', [`-${family}`, '-force', '-batch', '-'], lines)
  }
}

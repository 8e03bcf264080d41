import { addressArgs } from './install-plan.ts'
import type { InterceptPlan } from './intercept-plan.ts'
import { policyRuleArgs, policyRules } from './policy-rule.ts'
import { primaryPorts, tableText } from './table-text.ts'

/** The rules of a first installation as `nft -f` takes them, with the `ip` commands as comments, in their order. */
export function printPlan(plan: InterceptPlan): string {
  const contents = { generation: 1, ports: primaryPorts(plan), served: [], reversePath: true }
  return [
    '# 1. The second lock, which holds when the rules below are flushed:',
    ...policyRules(plan).map((rule) => `# ip -${rule.family} ${policyRuleArgs('add', rule)}`),
    '# 2. The rules. The chain `reverse` is there only where every pod is routed to an interface of its own or a bridge;',
    '#    the generation counts who takes the traffic over.',
    tableText(plan, contents).trimEnd(),
    '# 3. The addresses where connections arrive:',
    ...plan.addresses.map((address) => `# ip ${addressArgs('replace', address).join(' ')}`),
    '',
  ].join('\n')
}

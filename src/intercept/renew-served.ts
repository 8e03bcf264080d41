import { familyOf, type InterceptPlan } from './intercept-plan.ts'
import { failed, type Programs } from './programs.ts'
import { SERVED_FOR } from './table-text.ts'

/**
 * See `Interception.renew` and `release`.
 *
 * @param last what stays of each port: `renewed`, its clock wound up, or `released`, nothing
 * @returns false if there are no rules
 */
export async function renewServed(
  plan: InterceptPlan,
  programs: Programs,
  ports: ReadonlyMap<string, ReadonlySet<number>>,
  last: 'renewed' | 'released',
): Promise<boolean> {
  const commands = plan.captures.flatMap(({ original, primary }) =>
    [...(ports.get(original.host) ?? [])].flatMap((port) => {
      const set = `element inet metadatad served${familyOf(primary.host)}`
      const element = `${primary.host} . ${port}`
      const add = `add ${set} { ${element} timeout ${SERVED_FOR} }`
      // Adding an element that is there does not restart its clock, and deleting one that is not there fails: all in one transaction.
      return [add, `delete ${set} { ${element} }`, ...(last === 'renewed' ? [add] : [])]
    }),
  )
  if (commands.length === 0) return true
  const result = await programs.run('nft', ['-f', '-'], `${commands.join('\n')}\n`)
  if (result.status === 0) return true
  if (result.stderr.includes('No such file or directory')) return false
  throw failed('nft', result)
}

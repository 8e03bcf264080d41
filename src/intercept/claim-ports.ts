import { interceptError } from './intercept-error.ts'
import { familyOf, type InterceptPlan } from './intercept-plan.ts'
import type { CapturePorts } from './interception.ts'
import { listTable } from './kernel-view.ts'
import { failed, type Programs } from './programs.ts'
import { readContents } from './read-contents.ts'
import { captureElement } from './table-text.ts'

/** See `Interception.claim`: the transaction itself fails if the generation is another one by now. */
export async function claimPorts(
  plan: InterceptPlan,
  programs: Programs,
  ports: CapturePorts,
  generation: number,
): Promise<number | undefined> {
  const listed = await listTable(programs, 'metadatad')
  const isRedirected = (original: string) =>
    (listed?.elements.get(`capture${familyOf(original)}`) ?? []).some(
      (element) => Array.isArray(element) && element[0] === original,
    )
  const next = generation + 1
  const commands = [
    `delete element inet metadatad generation { ${generation} }`,
    `add element inet metadatad generation { ${next} }`,
  ]
  for (const [original, port] of ports) {
    const capture = plan.captures.find((one) => one.original.host === original)
    if (!capture) {
      throw interceptError(
        'INTERCEPT_FAILED',
        `${original} is not captured on this node`,
        'Report this as a defect.',
      )
    }
    const map = `inet metadatad capture${familyOf(original)}`
    commands.push(
      // A predecessor of another configuration may not have had it.
      ...(isRedirected(original) ? [`delete element ${map} { ${original} }`] : []),
      `add element ${map} { ${captureElement(original, capture.primary.host, port)} }`,
    )
  }
  const result = await programs.run('nft', ['-f', '-'], `${commands.join('\n')}\n`)
  if (result.status === 0) return next
  const table = await listTable(programs, 'metadatad')
  if (!table || readContents(table, plan).generation !== generation) return undefined
  throw failed('nft', result)
}

import { createHash } from 'node:crypto'
import { interceptError } from './intercept-error.ts'
import type { InterceptPlan } from './intercept-plan.ts'
import { listTable } from './kernel-view.ts'
import type { ListedTable } from './listed-table.ts'
import type { Programs } from './programs.ts'
import { tableText } from './table-text.ts'

/**
 * How this node's `nft` and kernel list the rules of the plan: each version spells some rules its own way, so that no text of
 * ours could be compared with. They are loaded as a dormant table (nft(8): its chains are on no hook), listed and deleted.
 *
 * The name holds a digest of the rules: another version of the daemon that does the same at this moment has another table.
 */
export async function referenceTable(plan: InterceptPlan, programs: Programs): Promise<ListedTable> {
  const { name, text } = reference(plan)
  for (let attempt = 0; attempt < 5; attempt++) {
    await programs.must('nft', ['-f', '-'], `${dropTable(name)}${text}`)
    const listed = await listTable(programs, name)
    await programs.must('nft', ['-f', '-'], dropTable(name))
    // Gone if another process has just finished the same.
    if (listed) return listed
  }
  throw interceptError(
    'INTERCEPT_FAILED',
    `the table ${name} disappears again and again`,
    'It is tried again.',
  )
}

/** The name that a crash might leave behind. */
export function referenceName(plan: InterceptPlan): string {
  return reference(plan).name
}

/** Commands that delete a table whether or not it is there. */
export function dropTable(name: string): string {
  return `add table inet ${name}\ndelete table inet ${name}\n`
}

function reference(plan: InterceptPlan): { name: string; text: string } {
  const shape = (name: string) => tableText(plan, undefined, { name, dormant: true, reversePath: true })
  const name = `metadatad_${createHash('sha256').update(shape('')).digest('hex').slice(0, 12)}`
  return { name, text: shape(name) }
}

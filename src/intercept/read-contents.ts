import type { ListenAddress } from '../config/config.ts'
import type { InterceptPlan } from './intercept-plan.ts'
import type { Drift } from './interception.ts'
import { arrayOf, objectOf, textOf } from './json-values.ts'
import type { ListedTable } from './listed-table.ts'

/** Seconds. A daemon of another version may say that it serves for longer than this one; nobody's word holds for ever. */
const MAX_SERVED_S = 60

/** What the sets and maps of the table hold, as far as it makes sense. */
export interface ReadContents {
  readonly generation: number | undefined
  readonly ports: ReadonlyMap<string, number>
  readonly served: readonly ListenAddress[]
  readonly drift: readonly Drift[]
}

/** Reads the elements; a port that is missing or makes no sense is the primary one, and drift. */
export function readContents(table: ListedTable, plan: InterceptPlan): ReadContents {
  const drift: Drift[] = []
  const [generation, ...more] = table.elements.get('generation') ?? []
  const known = more.length === 0 && isCount(generation, 0xffff_ffff)
  if (!known) drift.push({ what: 'table', message: 'the set generation does not hold one number' })

  const listed = [4, 6].flatMap((family) =>
    (table.elements.get(`capture${family}`) ?? []).flatMap((element) => captureOf(element)),
  )
  const ports = new Map<string, number>()
  for (const { original, primary } of plan.captures) {
    const found = listed.find(
      (capture) => capture.original === original.host && capture.host === primary.host,
    )
    if (!found)
      drift.push({ what: 'table', message: `${original.host} is not redirected to ${primary.host}` })
    ports.set(original.host, found?.port ?? primary.port)
  }
  for (const { original } of listed) {
    if (ports.has(original)) continue
    drift.push({ what: 'table', message: `${original} is redirected and should not be` })
  }

  const served = [4, 6].flatMap((family) => (table.elements.get(`served${family}`) ?? []).flatMap(servedOf))
  // One that never ends would let connections through to a port that nobody serves.
  if (served.some(({ lasting }) => lasting)) {
    drift.push({ what: 'table', message: 'a served port has no end' })
  }
  return {
    generation: known ? (generation as number) : undefined,
    ports,
    served: served.filter(({ lasting }) => !lasting).map(({ host, port }) => ({ host, port })),
    drift,
  }
}

function captureOf(element: unknown): { original: string; host: string; port: number }[] {
  const [original, value] = arrayOf(element)
  const [host, port] = arrayOf(objectOf(value).concat)
  return [{ original: textOf(original), host: textOf(host), port: isCount(port, 65_535) ? port : 0 }].filter(
    ({ port }) => port > 0,
  )
}

function servedOf(element: unknown): { host: string; port: number; lasting: boolean }[] {
  const timed = objectOf(objectOf(element).elem)
  const [host, port] = arrayOf(objectOf(timed.val ?? element).concat)
  if (typeof host !== 'string' || !isCount(port, 65_535)) return []
  return [{ host, port, lasting: !isCount(timed.timeout, MAX_SERVED_S) }]
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= max
}

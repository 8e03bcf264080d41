import { fileURLToPath } from 'node:url'
import type { Ran } from '../../support/net-namespace.ts'
import type { Dial, DialResult } from './dial.ts'

const PROGRAM = fileURLToPath(new URL('dial-process.ts', import.meta.url))

/** For an answer that must come; one that does ends the wait. */
const ANSWER_MS = 20_000

/** Dials all of them at once from inside a pod (or from the node, whose `run` is given), each for up to `ms`. */
export async function dialFrom(
  from: { run(program: string, args: readonly string[]): Promise<Ran> },
  dials: readonly Dial[],
  ms = ANSWER_MS,
): Promise<DialResult[]> {
  const ran = await from.run(process.execPath, [PROGRAM, JSON.stringify(dials), String(ms)])
  if (ran.status !== 0) throw new Error(ran.stderr)
  return JSON.parse(ran.stdout)
}

import { ask } from '../support/ask.ts'

/** A page of the daemon's admin server; undefined while it does not answer, or not with 200. */
export async function adminPage(port: number, path: string): Promise<string | undefined> {
  try {
    const { status, body } = await ask(`127.0.0.1:${port}`, path)
    return status === 200 ? body : undefined
  } catch {
    return undefined
  }
}

/** The sum of a counter's samples that have all the labels. */
export function sampleSum(page: string, metric: string, ...labels: readonly string[]): number {
  let sum = 0
  for (const line of page.split('\n')) {
    if (!line.startsWith(`${metric}{`) || !labels.every((label) => line.includes(label))) continue
    sum += Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return sum
}

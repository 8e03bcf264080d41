import { readFile } from 'node:fs/promises'

/** How the image runs Node. */
export interface ImageRuntime {
  /** Node's own flags. */
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Reads from the Dockerfile how the image runs the bundle, so that what is measured is what is shipped. */
export async function imageRuntime(): Promise<ImageRuntime> {
  const dockerfile = await readFile('Dockerfile', 'utf8')
  const entrypoint: string[] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)![1]!)
  const assignments = [...dockerfile.matchAll(/^ENV (.*)$/gm)].flatMap((match) => match[1]!.split(' '))
  return {
    flags: entrypoint.filter((word) => word.startsWith('--')),
    env: Object.fromEntries(assignments.map((assignment) => assignment.split('=') as [string, string])),
  }
}

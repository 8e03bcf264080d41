import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Where `.ci/run` installs the clouds' libraries. */
export const PYTHON =
  process.env.METADATAD_TEST_PYTHON ?? new URL('../../.cache/venv/bin/python3', import.meta.url).pathname

/** A program that came with one of them. */
export function pythonProgram(name: string): string {
  return join(dirname(PYTHON), name)
}

/** Why clients that import these modules can't be run; undefined if they can. */
export function missingPython(modules: string, packages: string): Promise<string | undefined> {
  return promisify(execFile)(PYTHON, ['-c', `import ${modules}`]).then(
    () => undefined,
    () =>
      `no ${packages} for ${PYTHON}: python3 -m venv .cache/venv && .cache/venv/bin/pip install ${packages}`,
  )
}

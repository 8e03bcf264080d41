import { MetadatadError } from '../lib/errors.ts'
import { withoutControls } from '../lib/without-controls.ts'

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The key, as in the file: `google.projectId`, `listen.metadata[1]`. */
  readonly key: string
  /** Where it was said: `config.yaml:12`, `--google-project-id` or `METADATAD_GOOGLE_PROJECT_ID`. */
  readonly source: string
  /** A clause without a period. */
  readonly message: string
  /** What to write instead. */
  readonly suggestion: string | undefined
}

/** `CONFIG_INVALID` with everything that is wrong, so that nobody has to mend one problem a start. */
export class ConfigError extends MetadatadError {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super('CONFIG_INVALID', `the configuration has ${count}`, {
      fault: 'policy',
      retryable: false,
      publicMessage:
        'The metadata daemon is not configured correctly; its operator has to run `metadatad config check`.',
    })
    this.problems = problems
  }
}

/** A problem as one line, `source: key: message; suggestion`, in which no control character is left. */
export function problemLine(problem: ConfigProblem): string {
  const head = problem.source === problem.key ? problem.key : `${problem.source}: ${problem.key}`
  const suggestion = problem.suggestion === undefined ? '' : `; ${problem.suggestion}`
  return withoutControls(`${head}: ${problem.message}${suggestion}`)
}

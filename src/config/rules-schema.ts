import * as v from 'valibot'

const MAX_RULES = 1_000
const MAX_GLOBS = 256

const glob = v.pipe(
  v.string('must be a glob or a list of globs'),
  v.regex(/^[\x21-\x7e]{1,256}$/, 'must be a glob of 1 to 256 printable characters, without spaces'),
)

const globs = (what: string) =>
  v.optional(
    v.pipe(
      v.union(
        [
          glob,
          v.pipe(
            v.array(glob),
            v.minLength(1, 'must have at least one glob'),
            v.maxLength(MAX_GLOBS, `must not have more than ${MAX_GLOBS} globs`),
          ),
        ],
        'must be a glob of printable characters without spaces, or a list of at least one',
      ),
      v.description(`${what}. Default: any.`),
    ),
  )

/** `rules`: who may use which identity. */
export const rulesSchema = v.optional(
  v.pipe(
    v.array(
      v.strictObject({
        namespace: globs('Namespace of the pod'),
        serviceAccount: globs('Name of its ServiceAccount'),
        identity: globs("The cloud identity's e-mail or principal"),
        allow: v.pipe(v.boolean('must be true or false'), v.description('May it be used?')),
      }),
      'must be a list of rules',
    ),
    v.maxLength(MAX_RULES, `must not have more than ${MAX_RULES} rules`),
    v.metadata({
      description:
        'Who may use which identity: the first rule of which all parts match decides, and if none does, nothing is allowed. Without rules everything is. Anchored globs: `*` is any run of characters, `?` one.',
      examples: ['[{namespace: team-a, identity: "*@team-a.iam.gserviceaccount.com", allow: true}]'],
    }),
  ),
  [],
)

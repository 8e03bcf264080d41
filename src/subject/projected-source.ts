import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectedToken } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import { checkSubjectToken, MAX_TOKEN_BYTES } from './check-subject-token.ts'
import { ReadInsideError, readInside } from './read-inside.ts'
import { subjectError } from './subject-error.ts'
import type { SubjectToken, SubjectTokenRequest, SubjectTokens } from './subject-tokens.ts'

/** What a source of projected tokens works with. */
export interface ProjectedSourceOptions {
  /** The kubelet's `--root-dir` as the daemon sees it. */
  readonly kubeletRoot: string
  readonly clock: Clock
}

/**
 * Tokens that the kubelet keeps fresh for the pods that mount one, read from the node's disk: needs no right to create
 * tokens. Everything below the kubelet's directory is taken for hostile all the same.
 */
export function projectedSource(options: ProjectedSourceOptions): SubjectTokens {
  const { kubeletRoot, clock } = options

  async function read(wanted: SubjectTokenRequest, { volume, path }: ProjectedToken): Promise<SubjectToken> {
    const { pod } = wanted
    const isBelow = path.split('/').every((segment) => segment !== '..')
    if (!isFileName(pod.uid) || !isFileName(volume) || !isBelow) {
      throw invalid('pod UID, volume or path can not be a file name')
    }
    let text: string
    try {
      const root = await realpath(kubeletRoot)
      const directory = join(root, 'pods', pod.uid, 'volumes', 'kubernetes.io~projected', volume)
      if ((await realpath(directory)) !== directory) throw new ReadInsideError('a link leads to the volume')
      text = await readInside(directory, path, MAX_TOKEN_BYTES)
    } catch (error) {
      throw readError(error)
    }
    return checkSubjectToken(text.trim(), wanted, clock.now())
  }

  return {
    async get(request) {
      const { pod, audience } = request
      const candidates = pod.projectedTokens.filter((token) => token.audience === audience)
      let last: unknown = subjectError(
        'SUBJECT_TOKEN_REFUSED',
        'pod mounts no service account token for this audience',
        `The pod mounts no service account token for the audience ${JSON.stringify(audience.slice(0, 256))}: add a projected volume with one.`,
      )
      for (const candidate of candidates) {
        try {
          return await read(request, candidate)
        } catch (error) {
          last = error
        }
      }
      throw last
    },
  }
}

/** Is it one segment of a path, and a harmless one? */
function isFileName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(name)
}

function invalid(reason: string): MetadatadError {
  return subjectError(
    'SUBJECT_TOKEN_INVALID',
    `projected service account token is not read: ${reason}`,
    "The service account token that the pod mounts is not one that the kubelet wrote. Ask the operator of the cluster to look at the metadata daemon's log.",
  )
}

function readError(error: unknown): MetadatadError {
  if (error instanceof ReadInsideError) return invalid(error.message)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  // Links that lead in circles, and files where directories should be, are nobody's transient state.
  if (code === 'ELOOP' || code === 'ENOTDIR') return invalid(code)
  return subjectError(
    'SUBJECT_TOKEN_UNAVAILABLE',
    `projected service account token can not be read (${code})`,
    'The service account token that the pod mounts can not be read yet. Try again.',
    { cause: error },
  )
}

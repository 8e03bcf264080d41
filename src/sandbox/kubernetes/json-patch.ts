import { isDeepStrictEqual } from 'node:util'
import { isRecord } from './is-record.ts'

/** Why a JSON patch was not applied. */
export class JsonPatchError extends Error {
  /** The document is no patch; else it does not fit what it is applied to. */
  readonly malformed: boolean

  constructor(message: string, malformed: boolean) {
    super(message)
    this.name = 'JsonPatchError'
    this.malformed = malformed
  }
}

/**
 * Applies a JSON patch (RFC 6902; `move` and `copy` are not among it) to a copy of `document`.
 *
 * @throws JsonPatchError if any of its operations can't be done
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new JsonPatchError('the patch is no list', true)
  const root = { document: structuredClone(document) }
  for (const operation of patch) apply(root, operation)
  return root.document
}

function apply(root: object, operation: unknown): void {
  const { op, path, value } = isRecord(operation) ? operation : {}
  if (typeof op !== 'string' || typeof path !== 'string' || !/^(?:\/|$)/.test(path)) {
    throw new JsonPatchError('an operation lacks op or path', true)
  }
  const keys = ['document', ...path.split('/').slice(1).map(unescapeToken)]
  const last = keys.pop()!
  let parent: unknown = root
  for (const key of keys) parent = child(parent, key, path)
  if (op === 'test') {
    if (!isDeepStrictEqual(child(parent, last, path), value)) {
      throw new JsonPatchError(`testing path ${path} failed`, false)
    }
  } else if (op === 'remove') {
    child(parent, last, path)
    if (Array.isArray(parent)) parent.splice(Number(last), 1)
    else delete (parent as Record<string, unknown>)[last]
  } else if (op === 'replace') {
    child(parent, last, path)
    set(parent, last, value)
  } else if (op === 'add') {
    if (!Array.isArray(parent)) set(parent, last, value)
    else parent.splice(last === '-' ? parent.length : index(last, parent.length + 1, path), 0, value)
  } else {
    throw new JsonPatchError(`unknown operation ${op}`, true)
  }
}

/** RFC 6901 section 4. */
function unescapeToken(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

function child(parent: unknown, key: string, path: string): unknown {
  if (Array.isArray(parent)) return parent[index(key, parent.length, path)]
  if (!isRecord(parent) || !Object.hasOwn(parent, key)) throw new JsonPatchError(`no path ${path}`, false)
  return parent[key]
}

function index(key: string, length: number, path: string): number {
  if (!/^(?:0|[1-9]\d{0,8})$/.test(key) || Number(key) >= length)
    throw new JsonPatchError(`no path ${path}`, false)
  return Number(key)
}

function set(parent: unknown, key: string, value: unknown): void {
  if (typeof parent !== 'object' || parent === null) throw new JsonPatchError(`no path to ${key}`, false)
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true })
}

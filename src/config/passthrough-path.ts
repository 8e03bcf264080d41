const ROOT = '/computeMetadata/v1/'

/**
 * What gives out keys, or what they are made with, wherever a server to come may put it. Only whole names count, and
 * everything below them.
 */
const SECRET = /\/(?:oslogin|gce-workload-certificates|guest-attributes)(?:\/|$)/

/** Attributes that hold keys or scripts, whatever follows the name (`startup-script-url`, `kube-env-2`). */
const SECRET_ATTRIBUTE =
  /\/attributes\/(?:configure|kube|ssh-?keys|user-?data|(?:windows-)?(?:startup|shutdown|sysprep)-?script)/

/** Segments of everything that answers with a token or a key, wherever a server to come may put them. */
const SECRET_SEGMENT = /\/(?:token|identity|service-accounts|credentials)(?:\/|$)/

/** What lists, or with `recursive=true` shows, any of these. */
const SECRET_PARENT = /^(?:instance|project)(?:\/attributes)?$/

/**
 * Why a path may not be on `google.passthrough`; undefined if it may. Only exact canonical leaves are allowed: what is
 * a directory could be asked for recursively, what is spelled in two ways could be allowed in one and served in the other.
 */
export function passthroughRefusal(path: string): string | undefined {
  if (!path.startsWith(ROOT)) return `must begin with ${ROOT}`
  if (!/^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(path)) {
    return 'must be one exact canonical path of a value: no trailing or double slash, dot segment, escape, query or glob'
  }
  // The server itself spells some of them in two ways (`sshKeys`, `ssh-keys`).
  const name = path.slice(ROOT.length).toLowerCase()
  if ([SECRET, SECRET_ATTRIBUTE, SECRET_SEGMENT].some((secret) => secret.test(`/${name}`))) {
    return 'gives out credentials or secrets of the node, and never passes'
  }
  if (SECRET_PARENT.test(name)) return 'is a directory that holds credentials or secrets of the node'
  return undefined
}

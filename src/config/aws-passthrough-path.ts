/**
 * What gives out credentials, keys or what proves the node's identity, wherever it may stand: whole names, and everything below
 * them (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html, categories).
 */
const SECRET =
  /\/(?:iam|identity-credentials|credentials|security-credentials|instance-identity|managed-ssh-keys|public-keys|user-data|token|signature|pkcs7|rsa2048)(?:\/|$)/

/**
 * Why a path may not be on `aws.passthrough`; undefined if it may. Only exact canonical paths are allowed: what is spelled in two
 * ways could be allowed in one and served in the other.
 */
export function awsPassthroughRefusal(path: string): string | undefined {
  if (!/^\/latest\/(?:meta-data|dynamic)\/./.test(path)) {
    return 'must begin with /latest/meta-data/ or /latest/dynamic/'
  }
  if (!/^(?:\/[A-Za-z0-9_-][A-Za-z0-9._:-]*)+$/.test(path)) {
    return 'must be one exact canonical path of a value: no trailing or double slash, dot segment, escape, query or glob'
  }
  if (SECRET.test(path.toLowerCase())) return 'gives out credentials or secrets of the node, and never passes'
  return undefined
}

/**
 * What gives out secrets, keys or what proves the node's identity, anywhere below an instance
 * (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service). `osProfile` names the administrator.
 */
const SECRET = /\/(?:userdata|customdata|publickeys|osprofile|identity|attested|token)(?:\/|$)/

/**
 * Why a path may not be on `azure.passthrough`; undefined if it may. Of the node only what is below `compute` and `network` may
 * pass, and nothing as a whole: `compute` contains the user data.
 */
export function azurePassthroughRefusal(path: string): string | undefined {
  if (!/^\/metadata\/instance\/(?:compute|network)\/./.test(path)) {
    return 'must begin with /metadata/instance/compute/ or /metadata/instance/network/'
  }
  if (!/^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(path)) {
    return 'must be one exact canonical path of a value: no trailing or double slash, dot segment, escape, query or glob'
  }
  if (SECRET.test(path.toLowerCase())) return 'gives out credentials or secrets of the node, and never passes'
  return undefined
}

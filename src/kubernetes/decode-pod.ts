import { canonicalAddress } from '../lib/address.ts'
import { elements, fields, text, time } from './json-fields.ts'
import { pickStrings } from './pick-strings.ts'
import type { Pod, PodPhase, ProjectedToken } from './types.ts'

/** The annotations of a pod that the daemon acts on. */
export const POD_ANNOTATIONS: readonly string[] = [
  'iam.amazonaws.com/role',
  'metadatad.dev/translates-addresses',
]
/** The labels of a pod that the daemon acts on. */
const POD_LABELS: readonly string[] = ['azure.workload.identity/use', 'aadpodidbinding']

/** Of one pod; each costs a comparison a request, and no pod has a use for more. */
const MAX_PROJECTED_TOKENS = 32
const MAX_TOKEN_FIELD = 1024
const PHASES: readonly PodPhase[] = ['Pending', 'Running', 'Succeeded', 'Failed']

/**
 * Reads a core/v1 Pod, and keeps of it only copies of the few fields that are used. Total.
 *
 * @returns undefined if it has no namespace, name, UID or time of creation, or if `hostNetwork` is no boolean: who
 * owns an address must not rest on a guess
 */
export function decodePod(object: unknown): Pod | undefined {
  const { metadata: rawMetadata, spec: rawSpec, status: rawStatus } = fields(object)
  const metadata = fields(rawMetadata)
  const spec = fields(rawSpec)
  const status = fields(rawStatus)
  const namespace = text(metadata.namespace)
  const name = text(metadata.name)
  const uid = text(metadata.uid)
  const createdAt = time(metadata.creationTimestamp)
  if (namespace === undefined || name === undefined || uid === undefined || createdAt === undefined)
    return undefined
  const hostNetwork = spec.hostNetwork ?? false
  if (typeof hostNetwork !== 'boolean') return undefined

  // The admission of ServiceAccounts refuses a mirror pod that names one: a name here would be nobody's.
  const isMirror = 'kubernetes.io/config.mirror' in fields(metadata.annotations)
  const terminating = metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null
  return {
    namespace,
    name,
    uid,
    resourceVersion: text(metadata.resourceVersion) ?? '',
    nodeName: text(spec.nodeName) ?? '',
    serviceAccountName: isMirror ? '' : (text(spec.serviceAccountName) ?? ''),
    hostNetwork,
    phase: PHASES.find((phase) => phase === status.phase) ?? 'Unknown',
    ips: podIps(status),
    createdAt,
    terminating,
    sandboxGone: sandboxGone(status, terminating),
    runtimeClassName: text(spec.runtimeClassName),
    projectedTokens: projectedTokens(spec),
    annotations: pickStrings(metadata.annotations, (key) => POD_ANNOTATIONS.includes(key)),
    labels: pickStrings(metadata.labels, (key) => POD_LABELS.includes(key)),
  }
}

type Fields = Readonly<Record<string, unknown>>

function podIps(status: Fields): readonly string[] {
  const listed = elements(status.podIPs).map((entry) => fields(entry).ip)
  const addresses = (listed.length > 0 ? listed : [status.podIP]).map((ip) =>
    canonicalAddress(text(ip) ?? ''),
  )
  return [...new Set(addresses.filter((address) => address !== undefined))]
}

/**
 * The condition is also False before the pod's first sandbox and between two of them: only with the pod on its way out,
 * or with every container ended, does it say that the addresses were given back.
 */
function sandboxGone(status: Fields, terminating: boolean): boolean {
  const condition = elements(status.conditions).find(
    (entry) => fields(entry).type === 'PodReadyToStartContainers',
  )
  if (fields(condition).status !== 'False') return false
  if (terminating || status.phase === 'Succeeded' || status.phase === 'Failed') return true
  const containers = elements(status.containerStatuses)
  return (
    containers.length > 0 &&
    containers.every((container) => Object.hasOwn(fields(fields(container).state), 'terminated'))
  )
}

function projectedTokens(spec: Fields): readonly ProjectedToken[] {
  const tokens: ProjectedToken[] = []
  for (const rawVolume of elements(spec.volumes)) {
    const { name, projected } = fields(rawVolume)
    const volume = bounded(name)
    if (volume === undefined) continue
    for (const source of elements(fields(projected).sources)) {
      const token = fields(fields(source).serviceAccountToken)
      const path = bounded(token.path)
      if (path === undefined) continue
      if (token.audience && bounded(token.audience) === undefined) continue
      if (tokens.length === MAX_PROJECTED_TOKENS) return tokens
      tokens.push({ volume, path, audience: bounded(token.audience) })
    }
  }
  return tokens
}

function bounded(value: unknown): string | undefined {
  const string = text(value)
  return string !== undefined && string.length <= MAX_TOKEN_FIELD ? string : undefined
}

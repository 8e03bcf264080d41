import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'

/** A Kubernetes object as it is written in a file. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Record<string, string>
  }
  // biome-ignore lint/suspicious/noExplicitAny: fields of many kinds, and a wrong one fails the test
  readonly [field: string]: any
}

const RENDERERS = [
  ['kubectl', 'kustomize'],
  ['kustomize', 'build'],
] as const

const renderer = RENDERERS.find(([program]) => spawnSync(program, ['--help']).error === undefined)

/** For `skip`: why nothing can be rendered here. */
export const cannotRender = renderer === undefined && 'neither kubectl nor kustomize is installed'

/** The folder `manifests`. */
export const MANIFESTS = new URL('../../manifests', import.meta.url).pathname

/** Every folder that can be applied, by what it is called in `manifests`. */
export const APPLICABLE: readonly string[] = ['overlays', 'examples'].flatMap((folder) =>
  readdirSync(`${MANIFESTS}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('kustomization.yaml'))
    .map((path) => `${folder}/${path.replace(/\/kustomization\.yaml$/, '')}`)
    .sort(),
)

/** The overlays, by how packets arrive there. */
export const MODES: Readonly<Record<string, 'redirect' | 'bind' | 'none'>> = {
  'gke-like': 'redirect',
  eks: 'redirect',
  aks: 'redirect',
  'on-prem': 'bind',
  kind: 'bind',
  none: 'none',
  cilium: 'none',
}

/** What `kubectl apply --kustomize` of a folder sends, as text. */
export function renderText(folder: string): string {
  const [program, command] = renderer!
  const { status, stdout, stderr } = spawnSync(program, [command, folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** Every object of a rendered text. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}

/** Every object that `kubectl apply --kustomize` of a folder sends. */
export function render(folder: string): Manifest[] {
  return parseManifests(renderText(folder))
}

/** The only object of a kind, or the only one of that name. */
export function the(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter(
    (it) => it.kind === kind && (name === undefined || it.metadata.name === name),
  )
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`)
  return found[0]!
}

/** The ConfigMap that a generator made: its name ends with a digest of the content. */
export function generated(manifests: readonly Manifest[], name: string): Manifest {
  const found = manifests.filter(
    (it) => it.kind === 'ConfigMap' && it.metadata.name.replace(/-[a-z0-9]{10}$/, '') === name,
  )
  if (found.length !== 1) throw new Error(`${found.length} of ConfigMap ${name}`)
  return found[0]!
}

// biome-ignore lint/suspicious/noExplicitAny: a container as it is written in a file
type Container = any

/** The environment that the kubelet makes of a container's `envFrom` and `env`, on node `node-1` at 10.0.0.1. */
export function environment(manifests: readonly Manifest[], container: Container): Record<string, string> {
  const fields: Record<string, string> = { 'spec.nodeName': 'node-1', 'status.hostIP': '10.0.0.1' }
  const env: Record<string, string> = {}
  for (const { configMapRef } of container.envFrom ?? []) {
    Object.assign(env, the(manifests, 'ConfigMap', configMapRef.name).data)
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    env[name] =
      value === undefined
        ? fields[valueFrom.fieldRef.fieldPath]!
        : value.replaceAll(/\$\((\w+)\)/g, (reference: string, other: string) => env[other] ?? reference)
  }
  return env
}

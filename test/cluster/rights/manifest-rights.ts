import { MANIFESTS, type Manifest, render, the } from '../../manifests/support.ts'

/** What a ClusterRole allows, as `VERB RESOURCE`: the daemon's own, in the overlays themselves, unless others are given. */
export function manifestRights(
  manifests: readonly Manifest[] = render(`${MANIFESTS}/overlays/none`),
  role = 'metadatad',
): string[] {
  const { rules } = the(manifests, 'ClusterRole', role)
  return rules.flatMap(({ resources, verbs }: { resources: string[]; verbs: string[] }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
  )
}

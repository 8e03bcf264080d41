import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { MANIFESTS, type Manifest, render } from '../../manifests/support.ts'

/** What an overlay with one component more is, rendered from a folder that is made below `directory`. */
export async function componentManifests(
  directory: string,
  overlay: string,
  component: string,
): Promise<Manifest[]> {
  const folder = join(directory, `${overlay}-${component}`)
  await mkdir(folder)
  const kustomization = {
    resources: [relative(folder, `${MANIFESTS}/overlays/${overlay}`)],
    components: [relative(folder, `${MANIFESTS}/components/${component}`)],
  }
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
  return render(folder)
}

import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { SANDBOX_PROJECT, SANDBOX_PROVIDER, SANDBOX_REGION } from '../../../src/sandbox/names.ts'
import type { World } from '../world.ts'

const MANIFESTS = fileURLToPath(new URL('../../../manifests', import.meta.url))
const OVERLAY = 'overlays/gke-like'
const PROBE = 'components/probe'

/**
 * Applies the manifests as a user does whose clouds have private endpoints and a certificate authority of their own: an overlay and
 * the probe as they are, with a configuration in the place of the example's.
 */
export async function applyManifests(world: World): Promise<void> {
  const folder = join(world.directory, 'kustomization')
  await mkdir(folder)
  const manifest = (path: string) => join(relative(folder, MANIFESTS), path)
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [manifest(OVERLAY)],
    components: [manifest(PROBE)],
    configMapGenerator: [
      { name: 'metadatad', namespace: 'metadatad', behavior: 'replace', files: ['config.yaml', 'ca.pem'] },
    ],
  }
  await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization))
  await writeFile(join(folder, 'config.yaml'), stringify(configuration(world)))
  await writeFile(join(folder, 'ca.pem'), world.plane.ca.pem)
  await world.kubectl(['apply', '--server-side', '--kustomize', folder])
}

function configuration({ clouds: { google, aws } }: World): unknown {
  return {
    cluster: { name: 'lab', location: 'europe-west1' },
    google: {
      projectId: SANDBOX_PROJECT,
      workloadIdentityProvider: SANDBOX_PROVIDER,
      endpoints: { sts: google.stsUrl, iamCredentials: google.iamCredentialsUrl },
    },
    aws: { region: SANDBOX_REGION, endpoints: { sts: aws.stsUrl } },
    // Beside config.yaml in the ConfigMap, and so in the volume.
    upstream: { caFile: '/etc/metadatad/ca.pem', proxy: 'none' },
  }
}

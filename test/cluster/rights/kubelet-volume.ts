import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Writes a projected volume of a pod as the kubelet does (kubernetes/pkg/volume/util/atomic_writer.go): files in a folder of their
 * own, `..data` that leads to it and is replaced as a whole, and a link for each file.
 *
 * @param kubeletRoot the kubelet's `--root-dir`
 * @param files by name
 */
export async function writeKubeletVolume(
  kubeletRoot: string,
  podUid: string,
  volume: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const directory = join(kubeletRoot, 'pods', podUid, 'volumes', 'kubernetes.io~projected', volume)
  const payload = `..${new Date().toISOString().replaceAll(/\D/g, '_')}`
  await mkdir(join(directory, payload), { recursive: true, mode: 0o750 })
  for (const [name, text] of Object.entries(files))
    await writeFile(join(directory, payload, name), text, { mode: 0o600 })
  await symlink(payload, join(directory, '..data_tmp'))
  await rename(join(directory, '..data_tmp'), join(directory, '..data'))
  for (const name of Object.keys(files)) await symlink(join('..data', name), join(directory, name))
}

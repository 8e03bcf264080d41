import { fileURLToPath } from 'node:url'
import { cached } from './cached.ts'
import { unpackDebian } from './unpack-debian.ts'

const PACKAGES = ['containerd', 'runc', 'containernetworking-plugins']
const UNPACK = fileURLToPath(new URL('unpack-debian.ts', import.meta.url))

/** The folder that containerd, runc and the CNI plugins were unpacked into: `usr/bin`, `usr/sbin`, `usr/lib/cni`. */
export async function ensureRuntime(say: (line: string) => void): Promise<string> {
  return await cached('container-runtime', [import.meta.filename, UNPACK], async (folder) => {
    say('unpacking a container runtime: once')
    await unpackDebian(PACKAGES, folder)
  })
}

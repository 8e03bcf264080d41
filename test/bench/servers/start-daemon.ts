import type { World } from '../world/start-world.ts'
import { imageRuntime } from './image-runtime.ts'
import { type ServerProcess, spawnServer } from './start-server.ts'

/** The bundle, as `npm run build` leaves it. */
const BUNDLE = 'dist/metadatad.mjs'

/** Starts the daemon's bundle in the world, as the image does; `options` as on its command line. */
export async function startDaemonProcess(
  world: World,
  options: readonly string[],
  signal: AbortSignal,
): Promise<ServerProcess> {
  const { flags, env } = await imageRuntime()
  return spawnServer(
    {
      command: process.execPath,
      args: [...flags, BUNDLE, 'serve', '--config', world.configFile, ...options],
      env,
      port: world.metadataPort,
    },
    signal,
  )
}

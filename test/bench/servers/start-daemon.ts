import type { World } from '../world/start-world.ts'
import { type ServerProcess, spawnServer } from './start-server.ts'

/** The bundle, as `npm run build` leaves it. */
export const BUNDLE = 'dist/metadatad.mjs'

/** Starts the daemon's bundle in the world; `flags` as on its command line. */
export function startDaemonProcess(
  world: World,
  flags: readonly string[],
  signal: AbortSignal,
): ServerProcess {
  return spawnServer(
    {
      command: process.execPath,
      args: [BUNDLE, 'serve', '--config', world.configFile, ...flags],
      port: world.metadataPort,
    },
    signal,
  )
}

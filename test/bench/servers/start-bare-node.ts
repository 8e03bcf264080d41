import { fileURLToPath } from 'node:url'
import { freePort } from '../free-port.ts'
import { type ServerProcess, spawnServer } from './start-server.ts'

const PROGRAM = fileURLToPath(new URL('node-http.ts', import.meta.url))

/** Starts a bare node:http server that gives everybody `body`. Does not wait for it to listen. */
export async function startBareNode(body: string, signal: AbortSignal): Promise<ServerProcess> {
  const port = await freePort()
  return spawnServer(
    { command: process.execPath, args: [PROGRAM, String(port)], env: { BODY: body }, port },
    signal,
  )
}

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below those that Linux gives to whoever wants any port (`ip_local_port_range`): no connection of a test gets it before the program that
 * it is meant for, or while that program is started again.
 */
const PORTS = [20_000, 30_000] as const

const given = new Set<number>()

/** A port of an address that nobody listens on just now, and that is given once. */
export async function freePort(host: string): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS)
    if (given.has(port) || !(await isFree(host, port))) continue
    given.add(port)
    return port
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer().listen(port, host)
  try {
    await once(server, 'listening')
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw err
  }
  server.close()
  await once(server, 'close')
  return true
}

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { eventually } from '../support/eventually.ts'
import type { Metadatad } from '../support/start-metadatad.ts'
import { counted } from '../support/traffic.ts'

/** Requests that are sent at one moment, each on a connection of its own that is open already. */
export interface Herd {
  /** Sends them all and reads every answer to its end; one of a connection that the daemon broke is what came of it. */
  run(): Promise<readonly string[]>
}

/** What is not as for Google. */
export interface HerdOptions {
  /** `host:port`, where the metadata server is unless said otherwise. */
  readonly host?: string
  /** Instead of Google's, without the line's end. */
  readonly headers?: string
}

/**
 * Opens the connections, and waits until the daemon has accepted, or refused, each of them: only then are the requests
 * sure to be concurrent.
 *
 * @param from source address of all of them
 */
export async function gatherHerd(
  { daemon, host: metadata }: Metadatad,
  from: string,
  path: string,
  size: number,
  { host = metadata, headers = 'Metadata-Flavor: Google' }: HerdOptions = {},
): Promise<Herd> {
  const { connections, connectionsRefused } = daemon.metrics
  const seen = async () => (await counted(connections, {})) + (await counted(connectionsRefused, {}))
  const before = await seen()
  const { hostname, port } = new URL(`http://${host}`)
  const sockets = Array.from({ length: size }, () =>
    connect({ host: hostname, port: Number(port), localAddress: from }),
  )
  const answers = sockets.map(answerOn)
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  await eventually(seen, (now) => now >= before + size)

  const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\nConnection: close\r\n\r\n`
  return {
    run() {
      for (const socket of sockets) socket.write(request)
      return Promise.all(answers)
    },
  }
}

function answerOn(socket: Socket): Promise<string> {
  let answer = ''
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text
  })
  socket.on('error', () => {})
  return new Promise((resolve) => socket.once('close', () => resolve(answer)))
}

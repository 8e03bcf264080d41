import { request } from 'node:http'

/** What a pod of the demo got. */
export interface DemoAnswer {
  readonly status: number
  readonly body: string
  readonly ms: number
}

/**
 * Asks the daemon as a pod would: over TCP from the pod's own address.
 *
 * @param daemon `host:port`
 */
export function askAsPod(daemon: string, ip: string, path: string): Promise<DemoAnswer> {
  const [host, port] = daemon.split(':')
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host,
        port,
        localAddress: ip,
        path: `/computeMetadata/v1/${path}`,
        headers: { 'Metadata-Flavor': 'Google' },
        agent: false,
        signal: AbortSignal.timeout(10_000),
      },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          body += chunk
        })
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body, ms: performance.now() - startedAt }),
        )
        answer.on('error', reject)
      },
    )
    call.on('error', reject)
    call.end()
  })
}

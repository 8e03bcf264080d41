import { request } from 'node:http'

/** An HTTP answer, whole. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** How to ask. */
export interface AskOptions {
  /** The source address: which pod to be. 127.0.0.1 unless said otherwise. */
  readonly ip?: string
  readonly method?: string
  /** Besides `Metadata-Flavor: Google`, or instead of it if it is given. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * One request on a connection of its own, as a pod would send it.
 *
 * @param host `host:port`
 */
export function ask(host: string, path: string, options: AskOptions = {}): Promise<Answered> {
  const url = new URL(`http://${host}`)
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: url.hostname,
        port: url.port,
        path,
        method: options.method ?? 'GET',
        localAddress: options.ip ?? '127.0.0.1',
        headers: { 'Metadata-Flavor': 'Google', ...options.headers },
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          })
        })
        answer.on('error', reject)
      },
    )
    call.on('error', reject)
    call.end()
  })
}

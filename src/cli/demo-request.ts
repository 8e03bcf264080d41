import { request } from 'node:http'
import { systemClock } from '../lib/clock.ts'
import { sleep } from '../lib/sleep.ts'

/** What a pod of the demo asks. */
export interface DemoQuestion {
  /** GET unless said. */
  readonly method?: 'GET' | 'PUT'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** What it got. */
export interface DemoAnswer {
  readonly status: number
  readonly body: string
}

/** While the answer is "not yet" (503), a pod asks again for so long. */
const PATIENCE_MS = 30_000

/**
 * Asks the daemon as a pod would: over TCP from the pod's own address, on a connection of its own.
 *
 * @param daemon `host:port`
 */
export async function askAsPod(daemon: string, ip: string, question: DemoQuestion): Promise<DemoAnswer> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask(daemon, ip, question)
    if (answer.status !== 503 || performance.now() > giveUpAt) return answer
    await sleep(systemClock, 50)
  }
}

function ask(daemon: string, ip: string, question: DemoQuestion): Promise<DemoAnswer> {
  const [host, port] = daemon.split(':')
  const signal = AbortSignal.timeout(10_000)
  return new Promise((resolve, reject) => {
    const call = request({ host, port, localAddress: ip, ...question, agent: false, signal }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
      answer.on('error', reject)
    })
    call.on('error', reject)
    call.end()
  })
}

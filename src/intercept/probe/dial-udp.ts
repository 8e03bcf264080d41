import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { ProbeOutcome } from '../../lib/self-test-report.ts'
import { refusalCode } from './refusal-code.ts'
import type { ProbeTarget } from './targets.ts'

/**
 * Sends one datagram, until something comes back or the signal is aborted. Without `payload` nothing is sent: only the
 * route is looked up, and `silent` means that there is one. Never rejects.
 */
export function dialUdp(
  { address, port }: ProbeTarget,
  payload: Buffer | undefined,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    let routed = false
    let done = false
    const finish = (result: ProbeOutcome['result'], detail?: string) => {
      if (done) return
      done = true
      signal.removeEventListener('abort', onAbort)
      resolve({ address, port, protocol: 'udp', result, detail })
      socket.close()
    }
    const onAbort = () => finish('silent')
    // Of ICMP errors a connected socket is told the final ones (port unreachable, prohibited), not that a host is unreachable.
    const onError = (err: NodeJS.ErrnoException) => {
      if (!routed) return finish('unroutable', err.code)
      const code = refusalCode(err.code)
      finish(code === undefined ? 'silent' : 'refused', code)
    }
    socket.on('error', onError)
    socket.once('message', () => finish('answered'))
    socket.connect(port, address, (err?: Error) => {
      if (err !== undefined && err !== null) return onError(err)
      routed = true
      if (done) return
      if (payload === undefined) finish('silent')
      else socket.send(payload, (failed) => failed && onError(failed))
    })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
}

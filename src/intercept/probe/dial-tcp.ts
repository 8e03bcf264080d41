import { connect } from 'node:net'
import type { ProbeOutcome } from '../../lib/self-test-report.ts'
import { refusalCode } from './refusal-code.ts'
import type { ProbeTarget } from './targets.ts'

/** Opens a TCP connection, until something comes back or the signal is aborted. Never rejects. */
export function dialTcp({ address, port }: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const finish = (result: 'answered' | 'refused' | 'silent', detail?: string) => {
      signal.removeEventListener('abort', onAbort)
      resolve({ address, port, protocol: 'tcp', result, detail })
      socket.destroy()
    }
    const onAbort = () => finish('silent')
    const socket = connect({ host: address, port })
    socket.once('connect', () => finish('answered'))
    socket.on('error', (err: NodeJS.ErrnoException) => {
      const code = refusalCode(err.code)
      finish(code === undefined ? 'silent' : 'refused', code)
    })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
}

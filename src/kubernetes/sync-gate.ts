/** Something that many wait for and that happens once. */
export interface SyncGate {
  readonly isOpen: boolean
  open(): void
  /** It will not happen any more: all who wait fail. */
  close(): void
  /** Resolves when open; rejects with what `failure` gives when the signal is aborted or the gate closed before. */
  wait(signal: AbortSignal, failure: () => Error): Promise<void>
}

/** A gate that is shut. */
export function createSyncGate(): SyncGate {
  const waiters = new Set<() => void>()
  let isOpen = false
  let closed = false
  const wake = () => {
    for (const waiter of [...waiters]) waiter()
  }
  return {
    get isOpen() {
      return isOpen
    },
    open() {
      isOpen = true
      wake()
    },
    close() {
      closed = true
      wake()
    },
    wait: (signal, failure) =>
      new Promise((resolve, reject) => {
        const settle = () => {
          waiters.delete(settle)
          signal.removeEventListener('abort', settle)
          if (isOpen) resolve()
          else reject(failure())
        }
        if (isOpen || closed || signal.aborted) return settle()
        waiters.add(settle)
        signal.addEventListener('abort', settle, { once: true })
      }),
  }
}

import type { SandboxKubernetes } from '../../src/sandbox/sandbox-types.ts'

/** Makes the API server misbehave in one way after another, briefly each. Returns how to stop it. */
export function startFaults(api: SandboxKubernetes, random: () => number): () => void {
  const mend = () => {
    api.freezeWatches = false
    api.watchDelayMs = 0
    api.outage = false
  }
  const faults = [
    () => api.dropWatches('close'),
    () => api.dropWatches('reset'),
    () => {
      api.freezeWatches = true
    },
    () => {
      // A watch that is frozen and then broken has lost events for good: only a list brings them.
      api.freezeWatches = true
      api.compact()
      api.dropWatches('reset')
    },
    () => api.compact(),
    () => {
      api.watchDelayMs = () => random() * 300
    },
    () => {
      api.outage = true
    },
  ]
  const timer = setInterval(() => {
    mend()
    if (random() < 0.5) faults[Math.floor(random() * faults.length)]!()
  }, 150)
  return () => {
    clearInterval(timer)
    mend()
  }
}

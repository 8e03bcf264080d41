import type { LabNode } from '../lab/lab-node.ts'

/** The metrics of a node's daemon at one moment. */
export interface MetricsSeen {
  /** The sum of a metric's values whose labels are these. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

const READ = `
const response = await fetch('http://127.0.0.1:9989/metrics', { signal: AbortSignal.timeout(30_000) })
process.stdout.write(await response.text())
`
const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/gm
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Reads them where alone they can be read: on the node. */
export async function metricsOf({ space }: LabNode): Promise<MetricsSeen> {
  const text = await space.run(process.execPath, ['--input-type=module', '--eval', READ])
  const samples = [...text.matchAll(LINE)].map(([, name, labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, label, of]) => [label, of])),
    value: Number(value),
  }))
  return {
    sum: (name, labels = {}) =>
      samples
        .filter(
          (it) => it.name === name && Object.entries(labels).every(([label, of]) => it.labels[label] === of),
        )
        .reduce((total, { value }) => total + value, 0),
  }
}

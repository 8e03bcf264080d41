import type { Daemon } from '../../src/daemon.ts'
import type { Sandbox } from '../../src/sandbox/sandbox-types.ts'

/** How often the daemon called for tokens. */
export interface UpstreamCalls {
  readonly tokenRequest: number
  readonly sts: number
  readonly generateAccessToken: number
  readonly generateIdToken: number
}

/** The calls since the sandbox started, as the services counted them. */
export function upstreamCalls({ kubernetes, google }: Sandbox): UpstreamCalls {
  const called = (name: string) => google.calls.get(name) ?? 0
  return {
    tokenRequest: kubernetes.calls.get('create serviceaccounts/token') ?? 0,
    sts: called('sts'),
    generateAccessToken: called('generateAccessToken'),
    generateIdToken: called('generateIdToken'),
  }
}

/** How many answers the daemon gave, by `route status`. */
export async function answersOf(daemon: Daemon): Promise<Record<string, number>> {
  const { values } = await daemon.metrics.answers.get()
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels.route} ${labels.status}`, value]))
}

/** How many answers the daemon gave in all. */
export async function answerCount(daemon: Daemon): Promise<number> {
  return Object.values(await answersOf(daemon)).reduce((sum, count) => sum + count, 0)
}

/** Sum of a counter's values whose labels are these. */
export async function counted(
  counter: { get(): Promise<{ values: readonly { labels: object; value: number }[] }> },
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  const { values } = await counter.get()
  const wanted = Object.entries(labels)
  return values
    .filter((it) => wanted.every(([name, value]) => (it.labels as Record<string, unknown>)[name] === value))
    .reduce((sum, { value }) => sum + value, 0)
}

/** The audit lines about credentials that were obtained and have these fields. */
export function obtained(
  logged: readonly Record<string, unknown>[],
  fields: Readonly<Record<string, unknown>>,
): Record<string, unknown>[] {
  const wanted = Object.entries({ ...fields, msg: 'credential obtained' })
  return logged.filter((line) => wanted.every(([name, value]) => line[name] === value))
}

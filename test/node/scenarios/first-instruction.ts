import { metricsOf } from '../daemon/metrics-of.ts'
import type { LabNode } from '../lab/lab-node.ts'
import { type Asked, askFirst } from '../pods/ask-first.ts'
import { createIdentities, type Identity } from '../pods/identities.ts'
import { PodWatch } from '../pods/pod-watch.ts'
import { BOTOCORE, CURL_AWS, CURL_GOOGLE, GOOGLE_AUTH, type Question } from '../pods/questions.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const PODS_A_NODE = 110
/** As many as the machine's processors, for two nodes: a real node of that size starts no more. */
const AT_A_TIME = 2
/** In turn. */
const QUESTIONS: readonly Question[] = [
  ...Array.from({ length: 7 }, () => CURL_GOOGLE),
  ...[CURL_AWS, CURL_AWS, GOOGLE_AUTH, BOTOCORE],
]
const CREDENTIALS = 'metadatad_credential_requests_total'

/** Pods whose very first instruction asks for their identity, one after the other on addresses that are used again at once. */
export const firstInstruction: Scenario = {
  name: 'first-instruction',
  async run(world) {
    const identities = await createIdentities(world)
    using watch = await PodWatch.start(world.plane)
    const before = await counts(world)
    const asked = (await Promise.all(world.nodes.map((node) => askOn(world, watch, node, identities)))).flat()
    const after = await counts(world)
    const failed = asked.filter(({ outcome }) => outcome === 'failed')
    return {
      operations: asked.length,
      failures: failed.length,
      wrongIdentities: asked.filter(({ outcome }) => outcome === 'wrong').length,
      note: [...summary(asked), ...shares(before, after)].join('; '),
    }
  },
}

async function askOn(
  world: World,
  watch: PodWatch,
  node: LabNode,
  identities: readonly Identity[],
): Promise<Asked[]> {
  const left = Array.from({ length: PODS_A_NODE }, (_, i) => i)
  const asked: Asked[] = []
  const work = async () => {
    for (let i = left.shift(); i !== undefined; i = left.shift()) {
      const question = QUESTIONS[i % QUESTIONS.length]!
      const able = identities.filter(({ roleArn }) => !question.needsRole || roleArn !== undefined)
      const identity = able[i % able.length]!
      const pod = { name: `first-${node.name}-${i}`, node, identity, question }
      const outcome = await askFirst(world, watch, pod)
      if (outcome.message !== '') world.say(outcome.message)
      asked.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return asked
}

function summary(asked: readonly Asked[]): string[] {
  const addresses = new Set(asked.map(({ address }) => address))
  const times = asked.flatMap(({ tookMs }) => tookMs ?? []).sort((a, b) => a - b)
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(0)
  const ahead = asked.flatMap(({ aheadMs }) => aheadMs ?? []).sort((a, b) => a - b)
  const early = ahead.filter((ms) => ms > 0)
  const middle = early[Math.floor(early.length / 2)] ?? 0
  return [
    `pods on ${addresses.size} addresses`,
    `answers of single requests (each of three tries at most) took ${at(0.5)} ms in the median, ${at(0.99)} ms at the 99th percentile, ${at(1)} ms at most`,
    `${early.length} of ${ahead.length} asked before the API server told of their address, ${middle.toFixed(0)} ms in the median`,
  ]
}

interface Counts {
  readonly hits: number
  readonly requests: number
  readonly held: number
}

async function counts({ nodes }: World): Promise<Counts> {
  const all = await Promise.all(nodes.map(metricsOf))
  const sum = (name: string, labels?: Record<string, string>) =>
    all.reduce((total, metrics) => total + metrics.sum(name, labels), 0)
  return {
    hits: sum(CREDENTIALS, { result: 'hit' }),
    requests: sum(CREDENTIALS),
    held: sum('metadatad_held_seconds_count'),
  }
}

function shares(before: Counts, after: Counts): string[] {
  const [hits, requests] = [after.hits - before.hits, after.requests - before.requests]
  return [
    `${hits} of ${requests} requests for a credential found it obtained already (${((100 * hits) / requests).toFixed(1)} %)`,
    `${after.held - before.held} requests waited for their pod to be known`,
  ]
}

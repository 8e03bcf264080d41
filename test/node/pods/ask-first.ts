import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LabNode } from '../lab/lab-node.ts'
import type { World } from '../world.ts'
import { clientPod } from './client-pod.ts'
import type { Identity } from './identities.ts'
import type { PodWatch } from './pod-watch.ts'
import type { Question } from './questions.ts'

/** What became of one pod. */
export interface Asked {
  readonly question: string
  readonly address: string
  readonly outcome: 'own' | 'wrong' | 'failed'
  /** Of a failure: what the pod left. */
  readonly message: string
  /** Of its only request, in milliseconds; undefined for a library. */
  readonly tookMs: number | undefined
  /** How long before the API server told of the pod's address it was sent, in milliseconds: negative if it was sent after. */
  readonly aheadMs: number | undefined
}

const COLLECTION = '/api/v1/namespaces/default/pods'
const LIMIT_MS = 120_000

/** Lets a pod live whose first instruction asks for its identity, and looks at what it left. */
export async function askFirst(
  world: World,
  watch: PodWatch,
  pod: {
    readonly name: string
    readonly node: LabNode
    readonly identity: Identity
    readonly question: Question
  },
): Promise<Asked> {
  const { name, node, identity, question } = pod
  const { admin } = world.plane
  const manifest = clientPod({
    ...{
      name,
      node: node.name,
      serviceAccount: identity.serviceAccount,
      command: question.command(identity),
    },
    container: { terminationMessagePolicy: 'FallbackToLogsOnError' },
  })
  const ending = watch.ended(name, LIMIT_MS)
  ending.catch(() => {})
  const { uid } = (await admin.create(COLLECTION, manifest)).metadata
  const { object, addressAt } = await ending
  const { exitCode, message = '' } = object.status.containerStatuses[0].state.terminated
  const request = question.once ? await requestOf(node, `default_${name}_${uid}`) : undefined
  await admin.delete(`${COLLECTION}/${name}`, 0)
  const isOwn = exitCode === 0 ? question.isOwn(message, identity, uid, world.clouds) : undefined
  return {
    question: question.name,
    address: object.status.podIP ?? '',
    outcome: isOwn === undefined ? 'failed' : isOwn ? 'own' : 'wrong',
    message:
      isOwn === undefined
        ? `${question.name} of ${name} on ${node.name} ended with ${exitCode}, ${request?.tookMs.toFixed(0)} ms: ${message.replaceAll(/<[^>]*>|\s+/g, ' ').replaceAll(/ +/g, ' ')}`
        : '',
    tookMs: request?.tookMs,
    aheadMs: request === undefined || addressAt === undefined ? undefined : addressAt - request.sentAt,
  }
}

/** From the line that curl prints when it has the answer, which containerd writes down with the time. */
async function requestOf(
  node: LabNode,
  pod: string,
): Promise<{ sentAt: number; tookMs: number } | undefined> {
  const text = await readFile(join(node.directory, 'log/pods', pod, 'client/0.log'), 'utf8').catch(() => '')
  const found = /^(\S+) stdout F ([\d.]+)$/m.exec(text)
  if (found === null) return undefined
  const tookMs = Number(found[2]) * 1_000
  return { sentAt: Date.parse(found[1]!) - tookMs, tookMs }
}

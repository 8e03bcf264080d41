import { SANDBOX_NODE, SANDBOX_PROJECT } from '../../../src/sandbox/names.ts'
import {
  grantSandboxApplication,
  grantSandboxRole,
  sandboxMember,
  writeSandboxConfig,
} from '../../../src/sandbox/sandbox-config.ts'
import type { Sandbox } from '../../../src/sandbox/sandbox-types.ts'
import { startSandbox } from '../../../src/sandbox/start-sandbox.ts'
import { type Calls, podAddress, type WorldQuestion, type WorldSize } from './world.ts'

// The cluster and the cloud, in a process of their own: `fork(…, [JSON])`.

const { size, cloudMs, directory, listen } = JSON.parse(process.argv[2]!) as {
  size: WorldSize
  cloudMs: number
  directory: string
  listen: { metadata: string; admin: string }
}
process.once('disconnect', () => process.exit())

const sandbox = await startSandbox()
sandbox.google.latencyMs = cloudMs
const configFile = await writeSandboxConfig(sandbox, directory, listen)
populate(sandbox)

process.on('message', (question: WorldQuestion) => {
  answer(question).then(
    (value) => process.send!({ value }),
    () => process.exit(1),
  )
})
process.send!({ value: { configFile } })

function populate(sandbox: Sandbox): void {
  const { kubernetes, google } = sandbox
  for (let i = 0; i < size.serviceAccounts; i++) {
    const name = `account-${i}`
    const email = `${name}@${SANDBOX_PROJECT}.iam.gserviceaccount.com`
    const annotated = i < size.nodePods || i % 10 === 0
    kubernetes.applyServiceAccount('bench', name, {
      ...(annotated ? { 'iam.gke.io/gcp-service-account': email } : {}),
      ...(size.threeClouds && i < size.nodePods ? otherClouds(sandbox, name, i) : {}),
    })
    if (i < size.nodePods) google.grant(email, sandboxMember('bench', name))
  }
  for (let i = 0; i < size.pods; i++) {
    const onNode = i < size.nodePods
    kubernetes.createPod({
      namespace: 'bench',
      name: `pod-${i}`,
      serviceAccountName: `account-${i % size.serviceAccounts}`,
      nodeName: onNode ? SANDBOX_NODE : `node-${2 + (i % 100)}`,
      ips: [onNode ? podAddress(i) : `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
    })
  }
}

function otherClouds(sandbox: Sandbox, account: string, number: number): Record<string, string> {
  const clientId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
  grantSandboxApplication(sandbox, clientId, 'bench', account)
  return {
    'eks.amazonaws.com/role-arn': grantSandboxRole(sandbox, account, 'bench', account),
    'azure.workload.identity/client-id': clientId,
  }
}

async function answer(question: WorldQuestion): Promise<unknown> {
  const { kubernetes, google } = sandbox
  switch (question.ask) {
    case 'forget calls':
      kubernetes.resetCalls()
      google.resetCalls()
      return undefined
    case 'calls':
      return Object.fromEntries([...kubernetes.calls, ...google.calls]) satisfies Calls
    case 'container token':
      return kubernetes.mintToken(
        { namespace: 'bench', name: `pod-${question.pod}` },
        'pods.eks.amazonaws.com',
      )
    case 'received':
      return received(question.call, question.count)
  }
}

/** Only calls of Google are waited for. */
async function received(call: string, count: number): Promise<void> {
  const { google } = sandbox
  if ((google.calls.get(call) ?? 0) >= count) return
  const { promise, resolve } = Promise.withResolvers<void>()
  google.intercept = (name) => {
    if (name === call && google.calls.get(call)! >= count) {
      google.intercept = undefined
      resolve()
    }
    return undefined
  }
  await promise
}

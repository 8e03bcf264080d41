import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Component } from '../component.ts'
import { freePort } from '../free-port.ts'
import { TooSlow } from '../too-slow.ts'
import type { World } from '../world.ts'
import type { AdmissionPolicies } from './admission-policies.ts'

const LIMIT_MS = 60_000

/**
 * What the cluster finds wrong with the types in the policies' expressions (`status.typeChecking`). It is the
 * kube-controller-manager that looks; one is started for that alone.
 *
 * @throws TooSlow if it does not come to it in a minute
 */
export async function typeWarnings(
  { plane, directory, programs }: World,
  policies: AdmissionPolicies,
): Promise<string[]> {
  const kubeconfig = join(directory, 'controller-manager.kubeconfig')
  await writeFile(kubeconfig, await plane.kubeconfig('type-checker', ['system:masters']), { mode: 0o600 })
  const args = [
    `--kubeconfig=${kubeconfig}`,
    '--controllers=validatingadmissionpolicy-status-controller',
    '--bind-address=127.0.0.1',
    `--secure-port=${await freePort('127.0.0.1')}`,
    '--leader-elect=false',
  ]
  await using _manager = new Component(
    'controller-manager',
    join(programs, 'kube-controller-manager'),
    args,
    directory,
  )
  const end = performance.now() + LIMIT_MS
  for (;;) {
    const all = await policies.policies()
    if (all.every(({ metadata, status }) => status?.observedGeneration === metadata.generation))
      return all
        .flatMap(({ status }) => status.typeChecking?.expressionWarnings ?? [])
        .map((it) => it.warning)
    if (performance.now() > end) throw new TooSlow(LIMIT_MS, 'the type check')
    await setTimeout(100)
  }
}

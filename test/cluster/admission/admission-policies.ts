import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { MANIFESTS, render } from '../../manifests/support.ts'
import type { Api, KubeObject } from '../api.ts'
import { objectPath } from '../object-path.ts'
import { TooSlow } from '../too-slow.ts'

/** How to install them. */
export interface AdmissionPoliciesOptions {
  readonly admin: Api
  /** For an overlay; made, and of its own. */
  readonly directory: string
  /** Of the daemon's configuration. */
  readonly audiences: readonly string[]
  /** Does the API server act by the policies? As requests show: it says so nowhere. */
  readonly inForce: () => Promise<boolean>
}

/** Policies and bindings are looked at once a second; so long only on a machine that is starved. */
const LIMIT_MS = 60_000

/** The component `validating-admission-policy` as an operator installs it, until it is disposed of. */
export class AdmissionPolicies implements AsyncDisposable {
  readonly #options: AdmissionPoliciesOptions
  readonly #objects: readonly KubeObject[]

  private constructor(options: AdmissionPoliciesOptions, objects: readonly KubeObject[]) {
    this.#options = options
    this.#objects = objects
  }

  /** Applies the policies and waits until they are in force. @throws TooSlow if they are not in a minute */
  static async apply(options: AdmissionPoliciesOptions): Promise<AdmissionPolicies> {
    const { admin, directory, audiences } = options
    await mkdir(directory)
    const list = `[${audiences.map((audience) => `'${audience}'`).join(', ')}]`
    const patch = [{ op: 'replace', path: '/spec/variables/0/expression', value: list }]
    const overlay = {
      resources: [relative(directory, `${MANIFESTS}/overlays/none`)],
      components: [relative(directory, `${MANIFESTS}/components/validating-admission-policy`)],
      patches: [
        {
          target: { kind: 'ValidatingAdmissionPolicy', name: 'metadatad-token-requests' },
          patch: JSON.stringify(patch),
        },
      ],
    }
    await writeFile(join(directory, 'kustomization.yaml'), JSON.stringify(overlay))
    const objects = render(directory).filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'))
    const policies = new AdmissionPolicies(options, objects)
    try {
      for (const object of objects) await admin.apply(object)
      await policies.#until(true)
      return policies
    } catch (err) {
      await policies[Symbol.asyncDispose]()
      throw err
    }
  }

  /** The policies as the API server has them now. */
  policies(): Promise<KubeObject[]> {
    const policies = this.#objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
    return Promise.all(policies.map((policy) => this.#options.admin.get(objectPath(policy))))
  }

  /** Removes them, and waits until they are no longer in force. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { admin } = this.#options
    await Promise.all(this.#objects.map((object) => admin.ask('DELETE', objectPath(object))))
    await this.#until(false)
  }

  async #until(wanted: boolean): Promise<void> {
    const end = performance.now() + LIMIT_MS
    while ((await this.#options.inForce()) !== wanted) {
      if (performance.now() > end)
        throw new TooSlow(LIMIT_MS, `until the policies are ${wanted ? '' : 'no longer '}in force, it`)
      await setTimeout(50)
    }
  }
}

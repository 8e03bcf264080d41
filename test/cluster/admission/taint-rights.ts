import type { Api, KubeObject } from '../api.ts'
import { objectPath } from '../object-path.ts'
import { componentManifests } from '../rights/component-manifests.ts'
import type { World } from '../world.ts'

const NAME = 'metadatad-startup-taint'

/** What the component `startup-taint` grants the daemon besides, until it is disposed of. */
export class TaintRights implements AsyncDisposable {
  readonly #admin: Api
  readonly #objects: readonly KubeObject[]

  private constructor(admin: Api, objects: readonly KubeObject[]) {
    this.#admin = admin
    this.#objects = objects
  }

  static async grant({ plane: { admin }, directory }: World): Promise<TaintRights> {
    const all: KubeObject[] = await componentManifests(directory, 'none', 'startup-taint')
    const objects = all.filter(({ metadata }) => metadata.name === NAME)
    for (const object of objects) await admin.apply(object)
    return new TaintRights(admin, objects)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const object of this.#objects) await this.#admin.delete(objectPath(object))
  }
}

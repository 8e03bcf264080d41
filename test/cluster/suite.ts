import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createCertificateAuthority } from '../../src/sandbox/certificate-authority.ts'
import { registerCluster } from '../../src/sandbox/register-cluster.ts'
import { type Clouds, startClouds } from '../../src/sandbox/start-clouds.ts'
import { render } from '../manifests/support.ts'
import { ControlPlane } from './control-plane.ts'
import { openIssuer } from './open-issuer.ts'
import { whenAllowed } from './when-allowed.ts'
import { World } from './world.ts'

/** The user that the daemon of `manifests/` is. */
export const DAEMON = 'system:serviceaccount:metadatad:metadatad'

/** One real cluster, and three sandbox clouds that trust its tokens, for all scenarios. */
export class Suite implements AsyncDisposable {
  readonly plane: ControlPlane
  readonly clouds: Clouds
  readonly #programs: string
  readonly #directory: string

  private constructor(plane: ControlPlane, clouds: Clouds, programs: string, directory: string) {
    this.plane = plane
    this.clouds = clouds
    this.#programs = programs
    this.#directory = directory
  }

  /**
   * @param programs the folder that `ensurePrograms` gave
   * @param directory of its own
   */
  static async start(programs: string, directory: string): Promise<Suite> {
    const ca = await createCertificateAuthority()
    const plane = await ControlPlane.start({
      directory: join(directory, 'control-plane'),
      programs,
      ca,
      audited: [DAEMON],
    })
    await using starting = new AsyncDisposableStack()
    starting.use(plane)
    await Suite.prepare(plane)
    const clouds = await startClouds({ ca, clock: systemClock, log: silentLog })
    registerCluster(clouds, plane.url)
    starting.move()
    return new Suite(plane, clouds, programs, directory)
  }

  /** Applies what the daemon's manifests say of its rights, and lets clouds read the issuer's keys. Both are in force then. */
  static async prepare({ admin }: ControlPlane): Promise<void> {
    const rights = ['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding']
    const objects = render('manifests/overlays/none')
    for (const kind of rights)
      for (const object of objects.filter((it) => it.kind === kind)) await admin.apply(object)
    // One ClusterRole has them all.
    await whenAllowed(admin, { user: DAEMON, resourceAttributes: { verb: 'watch', resource: 'pods' } })
    await openIssuer(admin)
  }

  /** A namespace, a node and a folder for one scenario. */
  async world(name: string): Promise<World> {
    const directory = join(this.#directory, name)
    await mkdir(directory)
    const { plane, clouds } = this
    return World.create({ name, plane, clouds, directory, programs: this.#programs })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clouds.close()
    await this.plane[Symbol.asyncDispose]()
  }
}

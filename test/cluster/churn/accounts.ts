import { SANDBOX_ACCOUNT } from '../../../src/sandbox/names.ts'
import { sandboxMember } from '../../../src/sandbox/sandbox-config.ts'
import type { World } from '../world.ts'

/** Whose identities a ServiceAccount has; `none` is annotated for no cloud, ever. */
export type AccountKind = 'google' | 'aws' | 'none'

/** A ServiceAccount, and every identity that its annotation ever named: no other ServiceAccount's ever names one of them. */
export interface Account {
  readonly name: string
  readonly kind: AccountKind
  /** The IAM member that it is in itself. */
  readonly member: string
  /** E-mails or role ARNs, oldest first; undefined where the annotation was absent for a while. */
  readonly generations: (string | undefined)[]
  /** The newest generation that a pod was told. */
  told: number
}

const GOOGLE = 'iam.gke.io/gcp-service-account'
const AWS = 'eks.amazonaws.com/role-arn'
const SHARES = { google: 26, aws: 6, none: 8 }
/** Every so many changes the annotation is removed. */
const REMOVED_EVERY = 5

/** The ServiceAccounts of the scenario, whose annotations change while their pods run. */
export class Accounts {
  readonly all: readonly Account[]
  readonly #world: World
  readonly #annotated: readonly Account[]

  private constructor(world: World, all: readonly Account[]) {
    this.#world = world
    this.all = all
    this.#annotated = all.filter(({ kind }) => kind !== 'none')
  }

  /** Makes them: 26 for Google, 6 for AWS, 8 that are annotated for neither. */
  static async create(world: World): Promise<Accounts> {
    const kinds = Object.entries(SHARES) as [AccountKind, number][]
    const all = kinds.flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, i): Account => {
        const name = `${kind}-${i}`
        return { name, kind, member: sandboxMember(world.namespace, name), generations: [], told: 0 }
      }),
    )
    const accounts = new Accounts(world, all)
    for (const account of all) await accounts.#annotate(account)
    return accounts
  }

  /** Gives one of them another identity, or for a while none. */
  async change(random: () => number): Promise<void> {
    await this.#annotate(this.#annotated[Math.floor(random() * this.#annotated.length)]!)
  }

  async #annotate(account: Account): Promise<void> {
    const { name, kind, generations } = account
    const isRemoved = kind === 'none' || generations.length % REMOVED_EVERY === REMOVED_EVERY - 1
    const identity = isRemoved ? undefined : this.#grant(account)
    // Before the API server has it: a daemon may be told before we are.
    generations.push(identity)
    const annotations = identity === undefined ? {} : { [kind === 'google' ? GOOGLE : AWS]: identity }
    await this.#world.applyServiceAccount(name, annotations)
  }

  #grant({ name, kind, member, generations }: Account): string {
    const { clouds, namespace, plane } = this.#world
    const unique = `${name}-g${generations.length}`
    if (kind === 'google') {
      const email = `${unique}@demo-project.iam.gserviceaccount.com`
      clouds.google.grant(email, member)
      return email
    }
    const arn = `arn:aws:iam::${SANDBOX_ACCOUNT}:role/${unique}`
    const subject = `system:serviceaccount:${namespace}:${name}`
    clouds.aws.addRole(arn, { trust: [{ issuer: plane.url, subject, audience: 'sts.amazonaws.com' }] })
    return arn
  }
}

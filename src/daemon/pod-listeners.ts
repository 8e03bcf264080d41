import type { MetadataServer } from '../endpoints/metadata-server.ts'
import type { Capture } from '../intercept/capture.ts'
import { asError } from '../lib/as-error.ts'

/** What is added to a primary port that is still another daemon's: known beforehand, so that NetworkPolicies can allow it. */
const DURING_UPDATE = 1_000

/** The daemon's listeners behind the captured addresses, by original address. */
export class PodListeners {
  readonly #server: Pick<MetadataServer, 'listen'>
  readonly #captures: readonly Capture[]
  readonly #ports = new Map<string, Set<number>>()
  readonly #current = new Map<string, number>()

  constructor(server: Pick<MetadataServer, 'listen'>, captures: readonly Capture[]) {
    this.#server = server
    this.#captures = captures
    for (const { original } of captures) this.#ports.set(original.host, new Set())
  }

  /** Every port that is listened on. */
  get ports(): ReadonlyMap<string, ReadonlySet<number>> {
    return this.#ports
  }

  /** Where new connections should arrive: the primary port where it is ours, else the one that is. */
  get preferred(): ReadonlyMap<string, number> {
    return this.#current
  }

  get allPrimary(): boolean {
    return this.#captures.every((capture) =>
      this.#ports.get(capture.original.host)!.has(capture.primary.port),
    )
  }

  has(original: string, port: number): boolean {
    return this.#ports.get(original)?.has(port) ?? false
  }

  /**
   * Listens behind every captured address, at another port where the primary one is still another daemon's.
   * @throws MetadatadError `LISTEN_FAILED`
   */
  async open(): Promise<void> {
    for (const capture of this.#captures) {
      const { port } = capture.primary
      if (await this.#tryListen(capture, port)) continue
      if (await this.#tryListen(capture, port + DURING_UPDATE)) continue
      // A third daemon, while two still drain.
      await this.#listen(capture, 0)
    }
  }

  /** Tries again for the primary ports that are another daemon's. True if one was had. */
  async retryPrimary(): Promise<boolean> {
    let had = false
    for (const capture of this.#captures) {
      if (this.has(capture.original.host, capture.primary.port)) continue
      if (await this.#tryListen(capture, capture.primary.port)) had = true
    }
    return had
  }

  /**
   * Listens also where connections arrive that were directed there before: their SYNs go on being sent to that port. It is
   * not ours if it is somebody else's, or if its address was taken away. True if one was had.
   */
  async inherit(ports: ReadonlyMap<string, number>): Promise<boolean> {
    let had = false
    for (const capture of this.#captures) {
      const port = ports.get(capture.original.host)
      if (port === undefined || this.has(capture.original.host, port)) continue
      if (await this.#tryListen(capture, port, ['EADDRINUSE', 'EADDRNOTAVAIL'])) had = true
    }
    return had
  }

  /** False if it failed for one of the tolerated reasons: the port is taken, if not said otherwise. */
  async #tryListen(capture: Capture, port: number, tolerated = ['EADDRINUSE']): Promise<boolean> {
    try {
      await this.#listen(capture, port)
      return true
    } catch (error) {
      const { cause } = asError(error)
      const code = (cause as NodeJS.ErrnoException | undefined)?.code
      if (code !== undefined && tolerated.includes(code)) return false
      throw error
    }
  }

  async #listen({ original, primary, serves }: Capture, wanted: number): Promise<void> {
    const dialled = [{ address: original.host, port: original.port }]
    const { port } = await this.#server.listen(primary.host, wanted, { dialled, serves })
    this.#ports.get(original.host)!.add(port)
    if (port === primary.port || !this.#current.has(original.host)) this.#current.set(original.host, port)
  }
}

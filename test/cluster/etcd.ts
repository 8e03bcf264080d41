import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Component } from './component.ts'
import { freePort } from './free-port.ts'

const READY_MS = 60_000
/** The smallest key, base64: whatever is asked with it, the answer's header has the revision. */
const FIRST_KEY = 'AA=='

/** An etcd of one member on loopback. */
export class Etcd implements AsyncDisposable {
  /** For clients: `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly process: Component

  private constructor(url: string, process: Component) {
    this.url = url
    this.process = process
  }

  /** @param directory where its data and its log are written */
  static async start(programs: string, directory: string): Promise<Etcd> {
    const data = join(directory, 'etcd')
    await mkdir(data, { mode: 0o700 })
    const [clients, peers] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')]
    const [url, peerUrl] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`]
    const args = [
      '--name=test',
      `--data-dir=${data}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=test=${peerUrl}`,
      // As kubeadm sets it: bookmarks of quiet resources go on.
      '--watch-progress-notify-interval=5s',
      // What is lost when the machine goes down is of no value.
      '--unsafe-no-fsync',
    ]
    const etcd = new Etcd(url, new Component('etcd', join(programs, 'etcd'), args, directory))
    try {
      await etcd.process.whenReady(async () => (await fetch(`${url}/health`)).ok, READY_MS)
    } catch (err) {
      await etcd.process.stop(0)
      throw err
    }
    return etcd
  }

  /** Forgets every revision but the current one, as the API server has it done every 5 min; resolves when it is done. */
  async compact(): Promise<void> {
    const { header } = await this.#call('kv/range', { key: FIRST_KEY })
    await this.#call('kv/compaction', { revision: header.revision, physical: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop(0)
  }

  /** etcd's gRPC calls, by its JSON gateway. */
  async #call(name: string, body: unknown): Promise<{ header: { revision: string } }> {
    const response = await fetch(`${this.url}/v3/${name}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`etcd ${name}: ${response.status} ${await response.text()}`)
    return (await response.json()) as { header: { revision: string } }
  }
}

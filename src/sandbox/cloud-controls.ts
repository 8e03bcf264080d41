import { Controls } from './controls.ts'
import type { Service } from './service.ts'

/** The scenario controls of a cloud's token service: those of every fake, an outage, and refusals in the cloud's own words. */
export class CloudControls<Code> extends Controls {
  #failure: { readonly code: Code; left: number } | undefined
  #service: Service | undefined

  get outage(): boolean {
    return this.attached.outage
  }

  set outage(value: boolean) {
    this.attached.outage = value
  }

  /** Where the service listens. */
  protected get attached(): Service {
    if (!this.#service) throw new TypeError('the service has not been started')
    return this.#service
  }

  /** Tells which service is controlled: once, before anything else. */
  attach(service: Service): void {
    this.#service = service
  }

  failNext(code: Code, times = 1): void {
    this.#failure = { code, left: times }
  }

  /** The refusal that the call at hand is to get, which is used up thereby. */
  takeFailure(): Code | undefined {
    if (!this.#failure || this.#failure.left <= 0) return undefined
    this.#failure.left -= 1
    return this.#failure.code
  }
}

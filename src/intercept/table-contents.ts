import type { ListenAddress } from '../config/config.ts'
import type { CapturePorts } from './interception.ts'

/** What changes in the table while its rules stay: what a replacement carries over. */
export interface TableContents {
  readonly generation: number
  /** Of every capture. */
  readonly ports: CapturePorts
  readonly served: readonly ListenAddress[]
  readonly reversePath: boolean
}

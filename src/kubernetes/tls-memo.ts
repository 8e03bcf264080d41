import type { TlsMaterial } from './connection.ts'

/** Gives back the last material while nothing in it changes, so that the client keeps its connections. */
export function tlsMemo(): (material: TlsMaterial) => TlsMaterial {
  let last: TlsMaterial | undefined
  return (material) => {
    if (
      last?.ca !== material.ca ||
      last?.cert !== material.cert ||
      last?.key !== material.key ||
      last?.servername !== material.servername ||
      last?.insecure !== material.insecure
    ) {
      last = material
    }
    return last
  }
}

/** Where things are in the data centre's network. */
export const LAB = {
  /** The control plane and the clouds' token services. */
  controlPlane: '198.51.100.1',
  /** The way to the real metadata server. */
  metadata: '198.51.100.2',
  /** The API server as pods know it. */
  service: '10.96.0.1',
  /** Of all nodes' pods. */
  pods: '10.1.0.0/16',
} as const

/** What a node's number makes of it: 1 to 200. */
export function nodeAddresses(number: number) {
  return { name: `n${number}`, address: `198.51.100.${10 + number}`, pods: `10.1.${number}.0/24` }
}

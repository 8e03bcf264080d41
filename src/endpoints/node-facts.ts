/** Node facts from the configuration and the Node object, never from the node's own metadata server. */
export class NodeFacts<Node, Values extends object> {
  readonly #make: (node: Node | undefined) => Values
  #current: Values

  /** @param make pure; without a node for as long as its object has not been seen */
  constructor(make: (node: Node | undefined) => Values) {
    this.#make = make
    this.#current = make(undefined)
  }

  /** The same object until something changes. */
  current(): Values {
    return this.#current
  }

  /** Call it with every new state of the Node. */
  update(node: Node): void {
    const next = this.#make(node)
    // A Node changes every few seconds (heartbeats); almost never in what is shown.
    if (JSON.stringify(next) !== JSON.stringify(this.#current)) this.#current = next
  }
}

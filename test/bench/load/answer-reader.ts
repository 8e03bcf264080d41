const HEAD_END = '\r\n\r\n'
const LENGTH = 'Content-Length: '

/**
 * Cuts what a server sends into HTTP/1.1 answers that are framed by `Content-Length`, as all servers of the benchmark
 * frame them. Costs as little as possible: the same machine runs the server.
 */
export class AnswerReader {
  readonly #onAnswer: (status: string) => void
  #rest = ''

  /** @param onAnswer told the three digits of the status of each complete answer */
  constructor(onAnswer: (status: string) => void) {
    this.#onAnswer = onAnswer
  }

  /** @throws Error if an answer has no `Content-Length` */
  read(text: string): void {
    const all = this.#rest === '' ? text : this.#rest + text
    let at = 0
    for (;;) {
      const head = all.indexOf(HEAD_END, at)
      if (head < 0) break
      const length = all.indexOf(LENGTH, at)
      if (length < 0 || length > head) throw new Error('an answer has no Content-Length')
      const end = head + HEAD_END.length + Number.parseInt(all.slice(length + LENGTH.length, head), 10)
      if (all.length < end) break
      const status = all.slice(at + 9, at + 12)
      at = end
      this.#onAnswer(status)
    }
    this.#rest = at === all.length ? '' : all.slice(at)
  }
}

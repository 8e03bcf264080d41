/**
 * A complete answer. Immutable and free of anything that belongs to one request, so that a warm one can be kept and
 * given again.
 */
export interface Answer {
  /** Label of `metadatad_answers_total`, from a small fixed set. */
  readonly route: string
  readonly status: number
  /** Names and values in turn, `Content-Length` among them. `Date` and `Connection` are the server's. */
  readonly headers: readonly string[]
  readonly body: string | Buffer
}

/** An answer with exactly these headers, `Content-Type` and the body's `Content-Length`. */
export function answer(
  route: string,
  status: number,
  contentType: string,
  body: string | Buffer,
  headers: readonly string[],
): Answer {
  const entity = ['Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(body))]
  return { route, status, headers: entity.concat(headers), body }
}

/** The first line of an error's message, short enough for one line of a terminal. */
export function asProblemText(err: unknown): string {
  const [line = ''] = (err instanceof Error ? err.message : String(err)).split('\n', 1)
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

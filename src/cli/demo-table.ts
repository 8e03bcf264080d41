import { stripVTControlCharacters } from 'node:util'

/** Lays rows out under their headings, each column as wide as its widest cell; numbers (by heading) to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<string>,
): string {
  const width = (text: string) => stripVTControlCharacters(text).length
  const widths = headings.map((heading, i) =>
    Math.max(width(heading), ...rows.map((row) => width(row[i] ?? ''))),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => {
        const pad = ' '.repeat(widths[i]! - width(cell))
        return right.has(headings[i]!) ? pad + cell : cell + pad
      })
      .join('  ')
      .trimEnd()
  return [line(headings), ...rows.map(line)].map((text) => `${text}\n`).join('')
}

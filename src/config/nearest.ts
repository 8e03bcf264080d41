const MAX_LENGTH = 64

/**
 * The candidate that `word` was most likely meant to be: the one with the fewest letters to change, if those are few
 * enough to be a slip. Case, `-` and `_` are not counted.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > MAX_LENGTH) return undefined
  const wanted = bare(word)
  let best: string | undefined
  let fewest = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const edits = editDistance(wanted, bare(candidate))
    if (edits < fewest) {
      fewest = edits
      best = candidate
    }
  }
  return best
}

function bare(text: string): string {
  return text.toLowerCase().replaceAll(/[-_]/g, '')
}

/** Levenshtein distance, two rows at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(changed, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return previous[b.length]!
}

/**
 * Does the whole of `text` match `pattern`, in which `*` stands for any run of characters (`/` and `.` included) and
 * `?` for exactly one? Every other character is itself; case counts. Takes at most length of text × length of pattern
 * steps, whatever the two are, so neither can be made to stall the daemon.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < text.length) {
    // The star is looked at first: the text may hold a `*` of its own, which must not use the pattern's one up.
    if (pattern[p] === '*') {
      star = p++
      resume = t
    } else if (pattern[p] === '?' || pattern[p] === text[t]) {
      p++
      t++
    } else if (star >= 0) {
      // Only the latest star needs another try: whatever the ones before it match can stay the shortest.
      p = star + 1
      t = ++resume
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

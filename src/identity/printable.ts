/**
 * Text of unknown origin as it may stand in a message: printable ASCII on one line, at most `max` characters, with `?` for
 * everything else and `...` where it was cut.
 */
export function printable(text: string, max = 100): string {
  const shown = text.length > max ? `${text.slice(0, Math.max(0, max - 3))}...` : text
  return shown.replaceAll(/[^\x20-\x7e]/g, '?')
}

/** Text of unknown origin as it may be shown on a terminal, on one line: `\ufffd` stands for each control character. */
export function withoutControls(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '\ufffd')
}

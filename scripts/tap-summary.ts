/** What a test run came to. */
export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/**
 * Reads the TAP 14 of a test runner, line by line: says one line for each file that passed, everything but the passing
 * lines of one that failed, and why a test was skipped; counts assertions by the runner's own closing comment.
 */
export class TapSummary {
  readonly counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  /** The files that did not pass, as the runner names them. */
  readonly failedFiles: string[] = []
  readonly #say: (line: string) => void
  #pending: string[] = []
  #complete = false

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  line(line: string): void {
    const file = /^(not )?ok \d+ - (.*?)(?: # time=([\d.]+)ms)?(?: \{)?$/.exec(line)
    if (file) {
      this.#file(file[2]!, file[1] === undefined, Number(file[3] ?? 0))
      return
    }
    const total =
      /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?(?:, skip: (\d+))?(?:, todo: (\d+))? \}$/.exec(
        line,
      )
    if (total) {
      const [passed, failed, skipped, todo] = total.slice(1).map((text) => Number(text ?? 0))
      this.counts.passed += passed!
      this.counts.failed += failed!
      this.counts.skipped += skipped! + todo!
      this.#complete = true
      return
    }
    const skip = /^\s*ok \d+ - (.*?) # (?:SKIP|TODO)\b ?(.*?)(?: # time=.*)?$/i.exec(line)
    if (skip) this.#skip(skip[1]!, skip[2]!)
    this.#pending.push(line)
  }

  /** Call it when the runner has ended: one that did not come to its end is a failure. */
  end(exitCode: number | null): void {
    if (!this.#complete || (exitCode !== 0 && this.counts.failed === 0)) {
      this.#sayFailures()
      this.#say(`not ok: the test runner ended with ${exitCode ?? 'a signal'}`)
      this.counts.failed++
    }
  }

  #file(name: string, ok: boolean, ms: number): void {
    this.#say(`${ok ? 'ok    ' : 'not ok'} ${name} (${(ms / 1_000).toFixed(1)} s)`)
    if (!ok) {
      this.failedFiles.push(name)
      this.#sayFailures()
    }
    this.#pending = []
  }

  #sayFailures(): void {
    for (const line of this.#pending) {
      if (!/^\s*(?:ok \d+|# Subtest|# time=|\d+\.\.\d+|\}?\s*$)/.test(line)) this.#say(line)
    }
  }

  #skip(test: string, reason: string): void {
    this.#say(reason === '' ? `not ok ${test}: skipped without saying why` : `skip   ${test}: ${reason}`)
    if (reason === '') this.counts.failed++
  }
}

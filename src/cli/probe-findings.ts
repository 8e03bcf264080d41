import { Agent, request } from 'undici'
import * as v from 'valibot'
import type { Finding } from '../intercept/finding.ts'
import { FINDING_KINDS, type SelfTestFinding } from '../lib/self-test-findings.ts'
import { withoutControls } from '../lib/without-controls.ts'

const MAX_BODY_BYTES = 256 * 1024

const pageSchema = v.object({
  selfTest: v.object({
    proved: v.boolean(),
    stale: v.boolean(),
    ageSeconds: v.optional(v.number()),
    findings: v.pipe(
      v.array(v.object({ kind: v.picklist(FINDING_KINDS), message: v.string() })),
      v.maxLength(256),
    ),
  }),
})

const ADVICE: Readonly<Record<SelfTestFinding['kind'], string>> = {
  reached:
    'Run `metadatad intercept install`. If all of its rules are in place, packets of pods take a way round them.',
  foreign:
    'Find out which program answers there, and whether intercept.probe names the ServiceAccount of the probe.',
  unanswered:
    'Look whether a NetworkPolicy keeps the probe from the daemon, and whether the daemon is ready.',
  refused: 'Look for a firewall or a route that rejects where it should drop.',
  untested: 'Let the probe and the daemon run in the same version.',
}

/**
 * What the probe's reports to the daemon say, for `metadatad intercept check`.
 *
 * @param adminUrl of the daemon: `http://127.0.0.1:9989`
 */
export async function probeFindings(adminUrl: string, signal: AbortSignal): Promise<readonly Finding[]> {
  let text: string
  const dispatcher = new Agent()
  try {
    const { statusCode, body } = await request(`${adminUrl}/interception`, { dispatcher, signal })
    text = await limited(body)
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`)
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err)
    return [
      unknown(
        `no daemon tells at ${adminUrl} what the probe has found: ${why}`,
        'Start the daemon, or check listen.admin.',
      ),
    ]
  } finally {
    await dispatcher.destroy()
  }
  const page = parsePage(text)
  if (page === undefined) {
    return [unknown(`what answers at ${adminUrl} is no daemon of this version`, 'Check listen.admin.')]
  }
  const { proved, stale, ageSeconds, findings } = page.selfTest
  const ago = `${Math.round(ageSeconds ?? 0)} s ago`
  if (proved) return [{ ok: true, what: `a probe pod reached the daemon and nothing else, ${ago}` }]
  if (ageSeconds === undefined) {
    return [
      unknown(
        'no probe pod of this node has reported yet',
        'Deploy `metadatad-probe`, or wait for its first report.',
      ),
    ]
  }
  const old = unknown(
    `the last report of a probe pod is old: ${ago}`,
    'Look at the log of `metadatad-probe` on this node.',
  )
  const found = findings.map(({ kind, message }) => ({ ...unknown(message, ADVICE[kind]), ok: false }))
  return stale ? [old, ...found] : found
}

function unknown(what: string, advice: string): Finding {
  // Whoever listens at that address, its words go to a terminal.
  return { ok: undefined, what: withoutControls(what), advice }
}

async function limited(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsePage(text: string): v.InferOutput<typeof pageSchema> | undefined {
  try {
    const parsed = v.safeParse(pageSchema, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { APPLICABLE, cannotRender, MANIFESTS, parseManifests, renderText } from './support.ts'

// METADATAD_GOLDENS=write node test/manifests/golden.test.ts writes them anew.

const GOLDEN = new URL('golden', import.meta.url).pathname
const writing = process.env.METADATAD_GOLDENS === 'write'

t.test('what is applied is what was reviewed', { skip: cannotRender }, async (t) => {
  const names = APPLICABLE.map((folder) => `${folder.replaceAll('/', '-')}.yaml`)
  for (const [index, folder] of APPLICABLE.entries()) {
    t.test(folder, async (t) => {
      const file = `${GOLDEN}/${names[index]}`
      const text = renderText(`${MANIFESTS}/${folder}`)
      if (writing) writeFileSync(file, text)
      t.strictSame(parseManifests(text), parseManifests(readFileSync(file, 'utf8')))
    })
  }
  t.test('no file is left of what is gone', async (t) => {
    t.strictSame(readdirSync(GOLDEN).sort(), [...names].sort())
  })
})

import t from 'tap'
import { readRepoFile } from './support.ts'

t.test('everything that the image is built from reaches its builder', async (t) => {
  const sent = readRepoFile('.dockerignore').split('\n')
  const copied = [...readRepoFile('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
    match[1]!.split(' '),
  )
  t.ok(copied.length > 0)
  for (const path of copied) t.ok(sent.includes(`!${path}`), path)
})

t.test('the image runs as a number that is not root', async (t) => {
  t.match(readRepoFile('Dockerfile'), /^USER [1-9]\d+:[1-9]\d+$/m)
})

t.test('metadatad on the PATH of the image is what its entry point runs', async (t) => {
  const [, entrypoint] = /^ENTRYPOINT (.+)$/m.exec(readRepoFile('Dockerfile'))!
  const command = JSON.parse(entrypoint!).join(' ')
  t.ok(readRepoFile('scripts/image/metadatad').endsWith(`\nexec ${command} "$@"\n`))
})

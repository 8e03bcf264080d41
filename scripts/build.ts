import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { leanImports } from './lean-imports.ts'

// npm run build: dist/metadatad.mjs, and beside it what it loads only when a command asks for it.

const OUT = 'dist'
await rm(OUT, { recursive: true, force: true })

const { metafile } = await build({
  entryPoints: { metadatad: 'src/main.ts' },
  outdir: OUT,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  // One chunk a command, so that the daemon's memory holds nothing of the demo.
  splitting: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  plugins: [leanImports],
  // Identifiers stay, for stacks; the rest of the text only costs memory.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 160,
  sourcemap: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  // CommonJS packages ask for Node's own modules by `require`, which a module does not have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
})

const daemon = loadedBy(metafile, 'src/daemon.ts')
const strays = [...daemon].filter((input) => /^src\/sandbox\/|@peculiar\/x509/.test(input))
if (strays.length > 0) throw new Error(`the daemon's bundle would load ${strays.join(', ')}`)

await writeFile(`${OUT}/THIRD-PARTY-LICENSES.txt`, await licences(metafile))
const size = Object.entries(metafile.outputs)
  .filter(([file]) => file.endsWith('.mjs'))
  .reduce((total, [, { bytes }]) => total + bytes, 0)
process.stdout.write(`${OUT}/metadatad.mjs: ${(size / 1024).toFixed(0)} KiB with its chunks\n`)

/** The source files of every output that is loaded at once with the one that holds `source`. */
function loadedBy({ outputs }: Metafile, source: string): Set<string> {
  const files = new Set(Object.keys(outputs).filter((file) => outputs[file]!.inputs[source] !== undefined))
  if (files.size === 0) throw new Error(`${source} is in no output`)
  const inputs = new Set<string>()
  // A set hands out what is added while it is walked.
  for (const file of files) {
    for (const input of Object.keys(outputs[file]!.inputs)) inputs.add(input)
    for (const { path, kind } of outputs[file]!.imports) {
      if (kind === 'import-statement' && outputs[path] !== undefined) files.add(path)
    }
  }
  return inputs
}

/** The licence texts of all packages of which something is in the bundle. */
async function licences({ inputs }: Metafile): Promise<string> {
  const folders = new Set<string>()
  for (const input of Object.keys(inputs)) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(dirname(input))?.[0]
    if (folder !== undefined) folders.add(folder)
  }
  const texts: string[] = []
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'))
    texts.push(`${name} ${version} (${license})\n\n${await licenceText(folder)}`)
  }
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

async function licenceText(folder: string): Promise<string> {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE', 'license', 'license.md']) {
    const text = await readFile(`${folder}/${name}`, 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  return 'The package has no licence file; its manifest names the licence.\n'
}

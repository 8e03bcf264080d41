import { writeFileSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript'
import { APPLICABLE, cannotRender, MANIFESTS, type Manifest, render } from './support.ts'

/** Packages made from the OpenAPI description of Kubernetes and from the CRDs, by API group. */
const PACKAGES: Readonly<Record<string, string>> = {
  'cilium.io': '@kubernetes-models/cilium',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
}

const moduleOf = ({ apiVersion, kind }: Manifest) =>
  `${PACKAGES[apiVersion.split('/')[0]!] ?? 'kubernetes-models'}/${apiVersion}/${kind}`

t.test('every object is as its schema says', { skip: cannotRender }, async (t) => {
  const objects = new Map<string, Manifest>()
  for (const folder of APPLICABLE) {
    for (const manifest of render(`${MANIFESTS}/${folder}`)) {
      objects.set(JSON.stringify(manifest), manifest)
    }
  }

  t.test('with values that are allowed, and all that are required', async (t) => {
    for (const manifest of objects.values()) {
      const models = await import(moduleOf(manifest))
      const model = new models[manifest.kind](manifest)
      t.doesNotThrow(() => model.validate(), `${manifest.kind} ${manifest.metadata.name}`)
    }
  })

  t.test('with no field that is unknown', async (t) => {
    const problems = (source: string) => {
      const file = `${t.testdir()}/objects.ts`
      writeFileSync(file, source)
      const program = ts.createProgram([file], {
        noEmit: true,
        strict: true,
        skipLibCheck: true,
        types: [],
        target: ts.ScriptTarget.ESNext,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
      })
      return ts
        .getPreEmitDiagnostics(program)
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    }
    const typed = (manifest: Manifest, index: number) =>
      `import type { I${manifest.kind} as T${index} } from '${moduleOf(manifest)}'\nexport const o${index}: T${index} = ${JSON.stringify(manifest)}\n`

    t.strictSame(problems([...objects.values()].map(typed).join('')), [])
    const wrong = structuredClone([...objects.values()].find(({ kind }) => kind === 'DaemonSet')!)
    wrong.spec.template.spec.containers[0].livenessprobe = {}
    t.match(problems(typed(wrong, 0)), [/livenessprobe.*does not exist/], 'one that is misspelt is found')
  })
})

import { spawnSync } from 'node:child_process'
import { utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { cannotRender, MANIFESTS, render, the } from './support.ts'

t.test('the probes', { skip: cannotRender }, async (t) => {
  const [container] = the(render(`${MANIFESTS}/overlays/gke-like`), 'DaemonSet').spec.template.spec.containers
  const seconds = (n: number) => new Date(Date.now() + n * 1_000)

  for (const [probe, file] of [
    ['startupProbe', 'live'],
    ['livenessProbe', 'live'],
    ['readinessProbe', 'ready'],
  ] as const) {
    t.test(`${probe} holds for as long as the file "${file}" is kept fresh`, async (t) => {
      const dir = t.testdir()
      const [program, ...args] = container[probe].exec.command.map((part: string) =>
        part.replaceAll('/run/metadatad', dir),
      )
      const holds = () => spawnSync(program, args).status === 0
      t.notOk(holds(), 'not before there is one')
      writeFileSync(`${dir}/${file}`, '')
      t.ok(holds())
      utimesSync(`${dir}/${file}`, seconds(-60), seconds(-60))
      t.notOk(holds(), 'not when it is old')
      utimesSync(`${dir}/${file}`, seconds(-4), seconds(-4))
      t.ok(holds(), 'two touches may be late')
    })
  }
})

import { spawnSync } from 'node:child_process'
import { utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { cannotRender, MANIFESTS, render, the } from './support.ts'

t.test('the probes', { skip: cannotRender }, async (t) => {
  const [container] = the(render(`${MANIFESTS}/overlays/gke-like`), 'DaemonSet').spec.template.spec.containers

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
      /** With a file that is so many seconds old when the probe looks at it: not where it came to that seconds later. */
      const holdsAt = (age: number) => {
        for (;;) {
          const touchedAt = Date.now()
          const time = new Date(touchedAt - age * 1_000)
          utimesSync(`${dir}/${file}`, time, time)
          const held = holds()
          if (Date.now() - touchedAt < 5_000) return held
        }
      }
      t.notOk(holds(), 'not before there is one')
      writeFileSync(`${dir}/${file}`, '')
      t.ok(holdsAt(0))
      t.notOk(holdsAt(60), 'not when it is old')
      t.ok(holdsAt(4), 'two touches may be late')
    })
  }
})

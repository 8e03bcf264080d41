import t from 'tap'
import { readRepoFile } from './support.ts'

interface Entry {
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly inBundle?: boolean
}

t.test('the lockfile pins every package by its digest and names no registry', async (t) => {
  const { packages } = JSON.parse(readRepoFile('package-lock.json')) as { packages: Record<string, Entry> }
  const names = Object.keys(packages).filter((name) => name !== '')
  t.ok(names.length > 0)
  t.strictSame(
    names.filter((name) => packages[name]!.resolved !== undefined),
    [],
  )
  t.strictSame(
    names.filter((name) => !packages[name]!.integrity && !packages[name]!.inBundle),
    [],
  )
})

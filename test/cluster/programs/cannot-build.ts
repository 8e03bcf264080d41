import { spawnSync } from 'node:child_process'

/** Why Kubernetes' programs can't be built here; false if they can. What `go.mod` beside this file says needs Go 1.24. */
export function cannotBuild(): string | false {
  const { error, stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
  if (error !== undefined) return 'Go (1.24 or later) is not installed; see https://go.dev/doc/install'
  const version = /^go1\.(\d+)/.exec(stdout)
  return (
    version !== null && Number(version[1]) < 24 && `Go 1.24 or later is needed, and here is ${stdout.trim()}`
  )
}

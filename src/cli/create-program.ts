import { Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../config/parse-duration.ts'
import type { CliIo } from './cli-io.ts'
import { addConfigOptions } from './config-options.ts'
import { VERSION } from './version.ts'

type Options = Readonly<Record<string, unknown>>

const EXAMPLES = `
Start here:
  metadatad demo                          pods, a cluster and three clouds in this one process
  metadatad config check --config FILE    what is wrong with a configuration, or what it means
  metadatad serve --config FILE           the daemon of one node
  metadatad intercept install             cut pods of this node off from everything but the daemon

Every key of the configuration is also a flag and an environment variable:
google.projectId is --google-project-id and METADATAD_GOOGLE_PROJECT_ID. A flag wins over the
environment, the environment over the file. Exit codes: 0 done, 1 failed, 2 usage or configuration.`

/**
 * The command line. Commands are loaded when they run, so that the daemon's memory holds nothing of the demo.
 *
 * @param done told the exit code of the command that ran
 */
export function createProgram(io: CliIo, done: (code: number) => void): Command {
  const program = new Command('metadatad')
    .description(
      "Answers at the clouds' metadata addresses of one Kubernetes node, and gives each pod its own cloud identity.",
    )
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .addHelpText('after', EXAMPLES)

  addConfigOptions(program.command('serve').description('answer the pods of this node until stopped')).action(
    async (options: Options) => {
      const { serve } = await import('./serve.ts')
      done(await serve(options, io))
    },
  )

  program
    .command('demo')
    .description('show it at work: a cluster, three clouds and pods in this one process, and the real daemon')
    .option('--once', 'end after the table instead of staying up', false)
    .addOption(output())
    .action(async ({ once, output }: { once: boolean; output: 'text' | 'json' }) => {
      const { demo } = await import('./demo.ts')
      done(await demo({ once, output }, io))
    })

  const config = program.command('config').description('look at the configuration')
  addConfigOptions(
    config.command('check').description('report every problem of a configuration, or what it means'),
  )
    .addOption(output())
    .action(async (options: Options) => {
      const { configCheck } = await import('./config-check.ts')
      done(await configCheck(options, io))
    })
  config
    .command('schema')
    .description('print the JSON Schema of a configuration file')
    .action(async () => {
      const { configJsonSchema } = await import('../config/config-json-schema.ts')
      io.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
      done(0)
    })

  const intercept = program
    .command('intercept')
    .description("lead packets of this node's pods to the daemon, and nowhere else")
  for (const [action, description] of [
    ['install', 'cut pods off from the metadata addresses, and redirect them to the daemon; until `remove`'],
    ['check', 'compare the rules, addresses and routes of this node with what they should be'],
    ['remove', "take all of it away: pods then reach the node's own metadata server"],
    ['print', 'print the rules and commands, for review'],
  ] as const) {
    const command = addConfigOptions(intercept.command(action).description(description))
    if (action === 'check') command.addOption(output())
    command.action(async (options: Options) => {
      const { intercept } = await import('./intercept.ts')
      done(await intercept(action, options, io))
    })
  }
  intercept
    .command('probe')
    .description('run in a pod: try what it reaches at the metadata addresses, and report it to the daemon')
    .option('--once', 'show one round and end, with exit code 1 if anything is wrong', false)
    .addOption(
      new Option('--interval <duration>', 'how often to report (10s to 1h)')
        .argParser(interval)
        .default(60_000, '1m'),
    )
    .addOption(output())
    .action(async (options: { once: boolean; interval: number; output: 'text' | 'json' }) => {
      const { interceptProbe } = await import('./intercept-probe.ts')
      done(await interceptProbe({ ...options, intervalMs: options.interval }, io))
    })
  return program
}

function interval(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= 10_000 && ms <= 3_600_000) return ms
  throw new InvalidArgumentError('It must be a duration from 10s to 1h.')
}

function output(): Option {
  return new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text')
}

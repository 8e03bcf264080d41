import { createReadStream } from 'node:fs'
import { ConfigError } from '../config/config-error.ts'
import { type ConfigFile, MAX_CONFIG_BYTES } from '../config/read-file.ts'

/**
 * The text of the configuration file: UTF-8. Not more than one byte over the limit is read, whatever the file is.
 *
 * @throws ConfigError if it can't be read or is no UTF-8
 */
export async function readTextFile(path: string): Promise<ConfigFile> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of createReadStream(path, { end: MAX_CONFIG_BYTES })) chunks.push(chunk as Buffer)
    return { name: path, text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) }
  } catch (err) {
    const reason = (err as NodeJS.ErrnoException).code ?? String(err)
    const message = `can't be read (${reason})`
    throw new ConfigError([
      {
        key: '--config',
        source: path,
        message,
        suggestion: 'name a YAML file in UTF-8 that this user may read',
      },
    ])
  }
}

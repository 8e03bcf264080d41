import { readFile } from 'node:fs/promises'
import type { Clock } from '../lib/clock.ts'
import { bearerToken } from './bearer-token.ts'
import { configError } from './config-error.ts'
import type { KubernetesConnection } from './connection.ts'
import { execPlugin } from './exec-plugin.ts'
import { type KubeconfigOptions, type Material, parseKubeconfig } from './parse-kubeconfig.ts'
import { tlsMemo } from './tls-memo.ts'
import { type WatchedFile, watchedFile } from './watched-file.ts'

/** The API server and user of one context of a kubeconfig. Files it names are read again when they are a minute old. */
export async function kubeconfig(
  options: KubeconfigOptions & { readonly clock: Clock },
): Promise<KubernetesConnection> {
  const { path, clock } = options
  const config = parseKubeconfig(await readKubeconfig(path), options)
  const ca = open(config.ca, clock)
  const cert = open(config.cert, clock)
  const key = open(config.key, clock)
  const tokenFile = open(config.tokenFile === undefined ? undefined : { file: config.tokenFile }, clock)
  const plugin = config.exec && execPlugin(config.exec, clock)
  const memo = tlsMemo()
  return {
    server: config.server,
    async credentials(renew) {
      const [caText, certText, keyText, tokenText] = await Promise.all(
        [ca, cert, key, tokenFile].map((file) => read(file, renew)),
      )
      const token = tokenText === undefined ? config.token : bearerToken(tokenText, `kubeconfig ${path}`)
      const credential = token === undefined && certText === undefined ? await plugin?.(renew) : undefined
      return {
        token: token ?? credential?.token,
        tls: memo({
          ca: caText,
          cert: certText ?? credential?.cert,
          key: keyText ?? credential?.key,
          servername: config.servername,
          insecure: config.insecure,
        }),
      }
    },
  }

  async function read(file: WatchedFile | undefined, renew: boolean): Promise<string | undefined> {
    try {
      return await file?.read(renew)
    } catch (cause) {
      throw configError(`kubeconfig ${path}: a file that it names can not be read`, cause)
    }
  }
}

async function readKubeconfig(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw configError(`kubeconfig ${path} can not be read`, cause)
  }
}

function open(material: Material | undefined, clock: Clock): WatchedFile | undefined {
  if (material === undefined) return undefined
  if ('file' in material) return watchedFile(material.file, clock)
  return { read: () => Promise.resolve(material.data) }
}

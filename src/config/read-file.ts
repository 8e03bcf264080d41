import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml'
import type { ConfigProblem } from './config-error.ts'
import { CONFIG_TREE, isSection, type Leaf, type Section } from './leaves.ts'
import { asProblemText } from './problem-text.ts'
import type { Setting, Settings } from './settings.ts'
import { unknownKey } from './unknown-key.ts'

/** The text of a configuration file, and what to call it. */
export interface ConfigFile {
  readonly name: string
  readonly text: string
}

/** More than this is no configuration. */
export const MAX_CONFIG_BYTES = 1024 * 1024

const MAX_DEPTH = 8
const MAX_PROBLEMS = 100
const MAX_SYNTAX_PROBLEMS = 3

/**
 * Reads YAML 1.2 (and so JSON) into settings with the line of each. Never throws: syntax errors, duplicate and unknown
 * keys, aliases (a small file of which could become a huge value) and tags are problems.
 */
export function readConfigFile(file: ConfigFile): Settings {
  const reader = new FileReader(file.name)
  if (Buffer.byteLength(file.text) > MAX_CONFIG_BYTES) {
    reader.unreadable = true
    reader.problem('', undefined, 'is larger than 1 MiB', 'name the configuration file, not another')
    return reader
  }
  try {
    reader.read(file.text)
  } catch (err) {
    // The parser recurses, so nesting that is deep enough ends its stack.
    reader.unreadable = true
    reader.problem('', undefined, `can't be parsed: ${asProblemText(err)}`, undefined)
  }
  return reader
}

class FileReader implements Settings {
  readonly values = new Map<string, Setting>()
  readonly sections = new Map<string, string>()
  readonly problems: ConfigProblem[] = []
  unreadable = false
  readonly #name: string
  readonly #lines = new LineCounter()

  constructor(name: string) {
    this.#name = name
  }

  read(text: string): void {
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      version: '1.2',
      prettyErrors: false,
      // Compares every key with every other: looked for below, in linear time.
      uniqueKeys: false,
    })
    for (const error of [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_PROBLEMS)) {
      this.problem('', error.pos[0], `is not valid YAML: ${asProblemText(error)}`, undefined)
    }
    if (document.errors.length > 0) this.unreadable = true
    else if (document.contents !== null) this.#section(document.contents, CONFIG_TREE, '')
  }

  problem(key: string, offset: number | undefined, message: string, suggestion: string | undefined): void {
    if (this.problems.length >= MAX_PROBLEMS) return
    const source = this.#source(offset)
    this.problems.push({ key: key === '' ? source : key, source, message, suggestion })
  }

  #source(offset: number | undefined): string {
    return offset === undefined ? this.#name : `${this.#name}:${this.#lines.linePos(offset).line}`
  }

  #section(node: ParsedNode, tree: Section, prefix: string): void {
    if (isScalar(node) && node.value === null) return
    if (!isMap(node)) {
      this.problem(prefix.slice(0, -1), node.range[0], 'must be a section: keys with values', undefined)
      return
    }
    for (const [name, value, offset] of this.#entries(node, prefix)) {
      const key = prefix + name
      const known = tree.get(name)
      if (name === '') {
        this.problem(prefix.slice(0, -1), offset, 'has a key without a name', 'write the key as a plain word')
      } else if (known === undefined) {
        if (this.problems.length < MAX_PROBLEMS) {
          this.problems.push(unknownKey(key, this.#source(offset), [...tree.keys()]))
        }
      } else if (isSection(known)) {
        this.sections.set(key, this.#source(offset))
        if (value !== null) this.#section(value as ParsedNode, known, `${key}.`)
      } else {
        this.#leaf(known, value, offset)
      }
    }
  }

  #leaf(leaf: Leaf, node: Node | null, offset: number | undefined): void {
    const partSources = new Map<string, string>()
    const before = this.problems.length
    const value = this.#plain(leaf.key, node, '', partSources, 0)
    if (this.problems.length === before) {
      this.values.set(leaf.key, { value, source: this.#source(offset), partSources })
    }
  }

  #plain(key: string, node: Node | null, path: string, sources: Map<string, string>, depth: number): unknown {
    if (node === null) return null
    const offset = node.range?.[0]
    if (path !== '') sources.set(path, this.#source(offset))
    const at = path === '' ? '' : `${path}.`
    if (isAlias(node)) {
      this.problem(key, offset, 'must not be an alias', 'write the value itself')
    } else if (depth > MAX_DEPTH) {
      this.problem(key, offset, 'is nested too deeply', undefined)
    } else if (isScalar(node)) {
      return node.value
    } else if (isSeq(node)) {
      return node.items.map((item, index) =>
        this.#plain(key, item as Node, `${at}${index}`, sources, depth + 1),
      )
    } else if (isMap(node)) {
      // No prototype: `__proto__` is a name like any other.
      const object: Record<string, unknown> = Object.create(null)
      for (const [name, value] of this.#entries(node, `${key}.`)) {
        object[name] = this.#plain(key, value, at + name, sources, depth + 1)
      }
      return object
    }
    return undefined
  }

  /** The entries whose keys are texts, each once. */
  *#entries(
    map: Node,
    prefix: string,
  ): Generator<[name: string, value: Node | null, offset: number | undefined]> {
    if (!isMap(map)) return
    const seen = new Set<string>()
    for (const { key, value } of map.items) {
      const offset = (key as Node).range?.[0]
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.problem(
          prefix.slice(0, -1),
          offset,
          'has a key that is not a text',
          'write the key as a plain word',
        )
      } else if (seen.has(key.value)) {
        this.problem(prefix + key.value, offset, 'is there twice', 'keep one')
      } else {
        seen.add(key.value)
        yield [key.value, value as Node | null, offset]
      }
    }
  }
}

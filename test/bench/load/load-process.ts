import { connect, type Socket } from 'node:net'
import { processUsage } from '../process-usage.ts'
import { AnswerReader } from './answer-reader.ts'
import type { Load, LoadClient, LoadResult } from './load.ts'

// The load generator: `node load-process.ts JSON`. Keeps one request under way on each of its connections.

const load = JSON.parse(process.argv[2]!) as Load
// One for all connections: what is read is used up before the next read.
const buffer = Buffer.alloc(64 * 1024)
const once = load.ms === 0
const sockets: Socket[] = []
const times: number[] = []
const failures: Record<string, number> = {}
let state: 'warming' | 'measuring' | 'ended' = 'warming'
let outstanding = load.connections
let startedAt = 0
let cpuAtStart = 0

function start(): void {
  state = 'measuring'
  cpuAtStart = processUsage(load.serverPid).cpuSeconds
  startedAt = performance.now()
}

function end(): void {
  state = 'ended'
  const seconds = (performance.now() - startedAt) / 1_000
  const serverCpuSeconds = processUsage(load.serverPid).cpuSeconds - cpuAtStart
  const own = process.cpuUsage()
  times.sort((a, b) => a - b)
  const result: LoadResult = {
    answers: times.length,
    failures,
    seconds,
    serverCpuSeconds,
    ownCpuSeconds: (own.user + own.system) / 1e6,
    p50: times[Math.floor(times.length * 0.5)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  }
  process.stdout.write(JSON.stringify(result))
  // A reset leaves no TIME_WAIT behind: thousands of those would slow down the connections of the next run.
  for (const socket of sockets) socket.resetAndDestroy()
}

function failed(what: string): void {
  failures[what] = (failures[what] ?? 0) + 1
}

function open({ address: localAddress, target, headers }: LoadClient): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = Buffer.from(
    `GET ${target} HTTP/1.1\r\nHost: metadata.google.internal\r\n${lines.join('')}\r\n`,
  )
  let sentAt = 0
  let answered = false
  const send = () => {
    sentAt = performance.now()
    socket.write(request)
  }
  const over = () => {
    if (--outstanding === 0 && once) end()
  }
  const reader = new AnswerReader((status) => {
    if (state === 'measuring') {
      if (status === '200') times.push(performance.now() - sentAt)
      else failed(status)
    }
    answered = true
    if (once) over()
    else send()
  })
  const callback = (bytes: number) => {
    reader.read(buffer.toString('latin1', 0, bytes))
    return true
  }
  const socket = connect({
    host: '127.0.0.1',
    port: load.port,
    localAddress,
    noDelay: true,
    onread: { buffer, callback },
  })
  socket.once('connect', send)
  socket.on('error', () => {})
  socket.once('close', () => {
    if (state === 'ended' || (once && answered)) return
    failed('broken')
    over()
  })
  sockets.push(socket)
}

if (once) start()
for (let i = 0; i < load.connections; i++) open(load.from[i % load.from.length]!)
if (!once) {
  setTimeout(start, load.warmUpMs)
  setTimeout(end, load.warmUpMs + load.ms)
}

import { connect, type Socket } from 'node:net'
import { processUsage } from '../process-usage.ts'
import { AnswerReader } from './answer-reader.ts'
import type { Load, LoadResult } from './load.ts'

// The load generator: `node load-process.ts JSON`. Keeps one request under way on each of its connections.

const load = JSON.parse(process.argv[2]!) as Load
const request = Buffer.from(
  `GET ${load.target} HTTP/1.1\r\nHost: 127.0.0.1:${load.port}\r\nMetadata-Flavor: Google\r\n\r\n`,
)
const once = load.ms === 0
const times: number[] = []
const failures: Record<string, number> = {}
const sockets: Socket[] = []
let measuring = once
let startedAt = 0
let cpuAtStart = 0
let outstanding = load.connections

function start(): void {
  measuring = true
  cpuAtStart = processUsage(load.serverPid).cpuSeconds
  startedAt = performance.now()
}

function end(): void {
  const seconds = (performance.now() - startedAt) / 1_000
  const serverCpuSeconds = processUsage(load.serverPid).cpuSeconds - cpuAtStart
  times.sort((a, b) => a - b)
  const own = process.cpuUsage()
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
  for (const socket of sockets) socket.destroy()
  process.exitCode = 0
}

function failed(what: string): void {
  failures[what] = (failures[what] ?? 0) + 1
}

function open(index: number): void {
  let sentAt = 0
  let done = false
  const finish = () => {
    if (done) return
    done = true
    if (--outstanding === 0 && once) end()
  }
  const send = () => {
    sentAt = performance.now()
    socket.write(request)
  }
  const reader = new AnswerReader((status) => {
    const now = performance.now()
    if (measuring) {
      if (status === '200') times.push(now - sentAt)
      else failed(status)
    }
    if (once) finish()
    else send()
  })
  // One buffer for all: what is read is used up before the next read.
  const socket = connect({
    host: '127.0.0.1',
    port: load.port,
    localAddress: load.from[index % load.from.length]!,
    noDelay: true,
    onread: {
      buffer,
      callback(bytes) {
        reader.read(buffer.latin1Slice(0, bytes))
        return true
      },
    },
  })
  sockets.push(socket)
  socket.once('connect', send)
  socket.on('error', () => {})
  socket.once('close', () => {
    if (done || (!once && ended)) return
    failed('broken')
    finish()
  })
}

const buffer = Buffer.alloc(64 * 1024)
let ended = false
if (once) start()
for (let i = 0; i < load.connections; i++) open(i)
if (!once) {
  setTimeout(start, load.warmUpMs)
  setTimeout(() => {
    ended = true
    end()
  }, load.warmUpMs + load.ms)
}

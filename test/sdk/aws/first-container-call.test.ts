import t from 'tap'
import { CONTAINER_CLIENTS } from './clients.ts'
import { testFirstCalls } from './test-first-calls.ts'

// Many programs are run.
t.setTimeout(900_000)

testFirstCalls(t, CONTAINER_CLIENTS, 60)

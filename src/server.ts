#!/usr/bin/env node
import { run } from './cli.ts'

/** Enough for V8 to compile `process.nextTick`; they take a millisecond. */
const TICKS = 5000

// A reader of the log that goes away, such as `| head`, is no reason to stop serving.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)

// V8 decides by the first ticks how those to come are laid out. In a server that starts with few of them it
// settles for a slow way, which is a tenth of a request's cost for as long as the process lives.
for (let tick = 0; tick < TICKS; tick++) process.nextTick(() => undefined)

// An error that nobody expects ends the process with its stack: Node's own rule for a promise without a handler.
void run(process).then((status) => process.exit(status))

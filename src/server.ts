#!/usr/bin/env node
import { run } from './cli.ts'

// A reader of the log that goes away, such as `| head`, is no reason to stop serving.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)

process.exit(await run(process))

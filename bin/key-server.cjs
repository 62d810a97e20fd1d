#!/usr/bin/env node
// In words that every Node understands, because an older one must be told so in a sentence.
'use strict'

var least = 24
if (Number(process.versions.node.split('.')[0]) < least) {
  console.error('key-server: Node %d or later is needed, not %s', least, process.version)
  process.exitCode = 1
} else {
  require('../dist/server.cjs')
}

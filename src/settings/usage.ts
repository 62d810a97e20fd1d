import packageJson from '../../package.json' with { type: 'json' }
import { Settings } from '../schemas/settings.ts'
import { flagOf, type Setting, settingsOf, variableOf } from './settings.ts'

/** What `-version` prints. */
export const version = `key-server ${packageJson.version}`

/** What `-help` prints: Go's form of it, for those who know the original. */
export function usage(): string {
  const flags = settingsOf(Settings).map(
    ([name, setting]) =>
      `  -${flagOf(name)}${typeOf(setting)}\n    \t${setting.description}${defaultOf(setting)}`,
  )
  return `Usage of key-server:
${flags.join('\n')}
  -help
    \tprint this text and exit
  -version
    \tprint the version and exit

Commands:
  key-server [flags]
    \tserve keys
  key-server self-test [flags]
    \tcheck that a server with these flags answers as it should, and exit
  key-server store show [flags]
    \tprint what the store of -unique holds, and exit
  key-server rotate [flags]
    \tbegin the next period of the store of -unique, after a leak or a fence, and exit
  key-server hash-key ID [SCOPES [EXPIRES]]
    \tmake an API key: print its secret and its entry for -api-keys-file, and exit

Every flag is also an environment variable and a line of .env: -max-size is MAX_SIZE.
A flag wins over the environment, the environment over .env.
Others on the machine can read a command line; secrets are also read from the files that these name:
${secretFiles()}.
`
}

function secretFiles(): string {
  const names = settingsOf(Settings).filter(([, { secret }]) => secret)
  return names.map(([name]) => `${variableOf(name)}_FILE`).join(', ')
}

function typeOf({ type }: Setting): string {
  return { integer: ' int', string: ' string', boolean: ' bool' }[type]
}

function defaultOf({ default: value }: Setting): string {
  return value === undefined ? '' : ` (default ${value === '' ? '""' : value})`
}

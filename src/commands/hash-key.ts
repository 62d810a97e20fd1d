import { BadApiKeyFile, ID_FORM, readExpiry, readScopes } from '../access/api-key-file.ts'
import { hashSecret, newSecret } from '../access/api-keys.ts'
import type { Output } from '../log.ts'

/**
 * Makes an API key: prints its secret on one line, which nobody can print again, and on the next its entry for the
 * file of API keys. `words` are the key's id, its scopes and when it expires, the last two of which may be left out.
 * @returns the exit status: 0, or 2 with a sentence on `stderr`.
 */
export function hashKey(words: readonly string[], stdout: Output, stderr: Output): number {
  const [id = '', names = 'key', expires, ...rest] = words
  try {
    if (rest.length > 0 || !ID_FORM.test(id)) {
      throw new BadApiKeyFile(
        'hash-key takes an id (1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-"), scopes separated by commas and a time',
      )
    }
    const scopes = readScopes(names.split(','), 'hash-key')
    if (expires !== undefined) readExpiry(expires, 'hash-key')
    const secret = newSecret()
    const entry = { id, sha256: hashSecret(secret).toString('hex'), scopes: [...scopes], expires }
    stderr.write(
      'The secret, which is shown this once, and its entry for the list "keys" of the file of API keys:\n',
    )
    stdout.write(`${secret}\n${JSON.stringify(entry)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof BadApiKeyFile)) throw error
    stderr.write(`key-server: ${error.message}\n`)
    return 2
  }
}

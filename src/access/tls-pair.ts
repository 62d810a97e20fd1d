import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { readGuardedFile, UnusableFile } from './watched-files.ts'

/** A certificate, with those of its authorities after it, and its key, in PEM. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
  /** Milliseconds of Unix time. */
  readonly expires: number
}

/**
 * Sees that a server can speak TLS with a certificate and a key now.
 * @throws {UnusableFile}
 */
export function checkTlsPair(cert: string, key: string): TlsPair {
  const certificate = attempt('the certificate is not in PEM', () => new X509Certificate(cert))
  const privateKey = attempt('the key is not in PEM, or asks for a passphrase', () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey))
    throw new UnusableFile('the key is not that of the certificate')
  const expires = certificate.validToDate.getTime()
  if (expires <= Date.now()) {
    throw new UnusableFile(
      `the certificate has expired on ${certificate.validToDate.toISOString().slice(0, 10)}`,
    )
  }
  attempt('the certificate or the key is too weak for TLS, or damaged', () =>
    createSecureContext({ cert, key }),
  )
  return { cert, key, expires }
}

/** @throws {UnusableFile} */
export function readTlsPair(certPath: string, keyPath: string): TlsPair {
  return checkTlsPair(readGuardedFile(certPath), readGuardedFile(keyPath))
}

function attempt<T>(sentence: string, make: () => T): T {
  try {
    return make()
  } catch {
    // What OpenSSL says might show a piece of the key.
    throw new UnusableFile(sentence)
  }
}

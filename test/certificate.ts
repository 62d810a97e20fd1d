import { generate } from 'selfsigned'

interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate for the loopback that vouches for itself, in PEM. */
export function loopbackCertificate(notAfterDate?: Date): Promise<Certificate> {
  return certificateFor('localhost', notAfterDate)
}

/** The same for a host of another name too. */
export async function certificateFor(name: string, notAfterDate?: Date): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(notAfterDate && { notBeforeDate: new Date(0), notAfterDate }),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { cert, key }
}

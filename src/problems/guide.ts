import * as problems from './problems.ts'

/** What people should know of a problem, besides what its answer says. */
interface Advice {
  /** Why it is there. */
  readonly means: string
  /** What a client, or who runs the server, does about it. */
  readonly remedy: string
}

type ProblemClass = {
  [Name in keyof typeof problems]: (typeof problems)[Name] extends new (
    ...parts: never[]
  ) => problems.Problem
    ? Name
    : never
}[keyof typeof problems]

/** The name of a class of problems. */
export type ProblemName = Exclude<ProblemClass, 'Problem'>

const ADVICE: Readonly<Record<ProblemName, Advice>> = {
  InvalidKeyLength: {
    means:
      'What stands after /key/ is no whole number in the digits 0-9, or it is outside of what this server makes.',
    remedy: 'Ask for a length within the bounds, in bytes, whatever they are written in.',
  },
  UnknownFormat: {
    means: 'The parameter format names no format of this server.',
    remedy: 'Name one of those in the answer, or leave the parameter out for the usual one.',
  },
  InvalidCount: {
    means: 'The parameter count is no whole number in the digits 0-9, or more than one answer may have.',
    remedy: 'Ask for fewer keys at a time, in more calls.',
  },
  BatchTooLarge: {
    means: 'All keys of the answer together would be more bytes than one answer may have.',
    remedy: 'Ask for fewer or shorter keys at a time, in more calls.',
  },
  InvalidPrefix: {
    means:
      'A prefix stands in front of the key as it is, so it may hold only what no format and no URL changes.',
    remedy: 'Use 1 to 16 letters, digits and underscores.',
  },
  UnknownChecksum: {
    means: 'There is one kind of checksum, crc32.',
    remedy: 'Ask for crc32, or leave the parameter out.',
  },
  RepeatedParameter: {
    means: 'A parameter that this server knows is in the query twice, and nothing says which one is meant.',
    remedy: 'Send it once.',
  },
  RepeatedHeader: {
    means:
      'Keys of this server are bound to a header, which the request has twice; nothing says which one is meant.',
    remedy: 'Send it once. Behind a proxy that adds it, the proxy must replace what the client sent.',
  },
  RawNotCombinable: {
    means: 'Raw keys are bytes and nothing else, which JSON, a prefix or a checksum would be added to.',
    remedy: 'Use another format, or leave the rest out.',
  },
  Base58TooLarge: {
    means:
      'The work of writing base58 grows with the square of the length, so long keys would hold up others.',
    remedy: 'Use base64url, which has no padding and is fit for URLs as well.',
  },
  BodyNotAllowed: {
    means: 'All that a call says is in its URL and its headers; a body would be read for nothing.',
    remedy: 'Send no body: curl -X POST, without -d.',
  },
  InvalidSince: {
    means:
      'The parameter since is no id of an event. An id of the future means that the store of this server has begun anew.',
    remedy: 'Ask without it, and go on from the latest event of the answer.',
  },
  AdminTokenNeeded: {
    means: 'Beginning a period ends what all clients rely on, so it takes the token of an administrator.',
    remedy: 'Send Authorization: Bearer with what the file of -admin-token-file holds.',
  },
  Unauthorized: {
    means:
      'The call has no API key, or one that is unknown, revoked, expired or cut short: the answer is the same for all of these.',
    remedy:
      'Send Authorization: Bearer with a key that is in force. Do not try again with the same one. Who runs the server sees the reason in its log.',
  },
  Forbidden: {
    means: 'The API key is good, but not for this: it lacks the scope that the answer names.',
    remedy: 'Have the scope added to the key, or use another key. Do not try again with the same one.',
  },
  TooManyRequests: {
    means: 'This address, or this API key, has made as many calls as it may make in a window.',
    remedy:
      'Wait for as many seconds as Retry-After says. Ask for several keys at a time by the parameter count.',
  },
  NotFound: {
    means: 'Nothing is at this path. /key without a slash, and /key/16/ with one at its end, are such paths.',
    remedy: 'Correct the path.',
  },
  MethodNotAllowed: {
    means: 'The path is right, and the method is not.',
    remedy: 'Use one of the methods in Allow.',
  },
  MalformedRequest: {
    means: 'The bytes that arrived are no HTTP, or the path holds an escape that is none, such as %zz.',
    remedy: 'Correct the client. TLS sent to a server of plain HTTP ends here as well.',
  },
  MissingHost: {
    means: 'RFC 9112 asks each request of HTTP/1.1 for a Host header.',
    remedy: 'Send it; all usual clients do.',
  },
  RequestTimeout: {
    means: 'The header of the request was not there after 10 seconds, or the whole of it after 30.',
    remedy: 'Try again over a better connection.',
  },
  HeadersTooLarge: {
    means: 'URL and headers together have more than 16 KiB.',
    remedy: 'Send fewer cookies, shorter parameters.',
  },
  InternalError: {
    means: 'A defect of the server.',
    remedy:
      'Try again once; if it stays, tell who runs the server the time of the call. Its log has the failure.',
  },
  EntropyUnavailable: {
    means:
      'Two blocks of random bytes in a row failed their health tests, so no key can be trusted. Nothing was handed out.',
    remedy:
      'Try again after Retry-After, with growing pauses. Who runs the server replaces the pod, and looks at its machine.',
  },
  KeyspaceExhausted: {
    means:
      'All unique keys of this length were handed out, are leased or lost; the next ones come with the next period.',
    remedy:
      'Use longer keys, or wait for as long as Retry-After says, where a rotation is due. Trying again at once is of no use.',
  },
  KeyspaceUnavailable: {
    means:
      'Short keys are unique only as long as they are accounted for, and the store that does so is away.',
    remedy: 'Try again after Retry-After, with growing pauses. Keys of 16 bytes or more go on.',
  },
  KeyspaceFenced: {
    means:
      'The store of unique keys went back to an older state, was emptied or replaced: what it dealt could come again.',
    remedy:
      'Who runs the server begins a new period, by rotate or POST /rotation. Keys of 16 bytes or more go on.',
  },
  Overloaded: {
    means: 'The server has no room for this call now, and refuses it rather than make all calls slow.',
    remedy: 'Try again after Retry-After, with growing pauses that differ from client to client.',
  },
  NotReady: {
    means: 'The server starts, is about to stop, or has found a fault, which the answer names.',
    remedy: 'Send calls to another server; balancers do so by themselves.',
  },
}

/** A problem, as its answer says it and as people should know it. */
export interface GuidedProblem extends Advice {
  readonly name: ProblemName
  readonly type: string
  readonly title: string
  readonly status: number
  /** Where `…` stands, the answer names the value. */
  readonly sentence: string
}

/** All problems, by status and type. */
export const guide: readonly GuidedProblem[] = Object.entries(problems)
  .flatMap(([name, member]) =>
    isAdvised(name) ? [guided(name, new (member as new () => problems.Problem)())] : [],
  )
  .sort((a, b) => a.status - b.status || a.type.localeCompare(b.type))

function isAdvised(name: string): name is ProblemName {
  return Object.hasOwn(ADVICE, name)
}

function guided(name: ProblemName, { code, statusCode, message }: problems.Problem): GuidedProblem {
  return {
    name,
    type: problems.problemType(code),
    title: problems.problemTitle(code),
    status: statusCode,
    sentence: message.replaceAll(/%[sd]/g, '…'),
    ...ADVICE[name],
  }
}

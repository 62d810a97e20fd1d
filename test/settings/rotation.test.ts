import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSettings, SettingsError } from '../../src/settings/settings.ts'
import { newFolder } from '../helper.ts'

function problemsOf(args: readonly string[], env: Record<string, string> = {}): readonly string[] {
  try {
    readSettings({ args, env, folder: '/nonexistent' })
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('-rotate-every', () => {
  test.for(['0', '1', '30', '90', '365', '3650'])('%s is a policy', (days) => {
    expect(problemsOf(['-unique', '-rotate-every', days])).toEqual([])
  })

  test.for(['-1', '1.5', '10000000', '3651', '', '30d', '1e2', ' 30'])('%j is none', (days) => {
    expect(problemsOf(['-unique', `-rotate-every=${days}`])).toEqual([
      `-rotate-every (ROTATE_EVERY) must be a whole number from 0 to 3650, not ${JSON.stringify(days)}`,
    ])
  })

  test('goes with -unique alone', () => {
    expect(problemsOf(['-rotate-every', '30'])).toEqual([
      '-rotate-every needs -unique: only unique keys have periods',
    ])
    expect(problemsOf(['-rotate-every', '0'])).toEqual([])
  })
})

describe('-admin', () => {
  const admin = (file: string, args: readonly string[] = ['-unique']) =>
    problemsOf([...args, '-admin', '-admin-token-file', file])

  test('needs a file with a token', async () => {
    const folder = await newFolder()
    const file = join(folder, 'token')
    const name = 'the file that -admin-token-file (ADMIN_TOKEN_FILE) names'
    expect(problemsOf(['-unique', '-admin'])).toEqual([
      expect.stringMatching(/^-admin needs ADMIN_TOKEN_FILE: /),
    ])
    expect(admin(file)).toEqual([`cannot read ${name}: ENOENT`])
    await mkdir(join(folder, 'folder'))
    expect(admin(join(folder, 'folder'))).toEqual([`cannot read ${name}: EISDIR`])
    await writeFile(file, `${'x'.repeat(31)}\n`)
    expect(admin(file)).toEqual([`${name} must hold a token of at least 32 bytes, not 31`])
    await writeFile(file, `${'x'.repeat(32)}\r\n`)
    expect(admin(file)).toEqual([])
    expect(admin(file, [])).toEqual(['-admin needs -unique: there is nothing else to administer'])
  })

  test('that is off looks at no file', () => {
    expect(problemsOf(['-unique', '-admin-token-file', '/nonexistent'])).toEqual([])
  })
})

describe('-webhook-urls', () => {
  const SECRET = `whsec_${Buffer.alloc(32).toString('base64')}`
  const webhooks = (env: Record<string, string>, args: readonly string[] = ['-unique']) =>
    problemsOf(args, { WEBHOOK_URLS: 'https://a.example/hunter2', WEBHOOK_SECRET: SECRET, ...env })
  const needed = expect.stringMatching(
    /^-webhook-urls needs WEBHOOK_SECRET or WEBHOOK_SECRET_FILE: whsec_ and 24/,
  )

  test.for<[string, Record<string, string>]>([
    ['one', {}],
    ['http on purpose', { WEBHOOK_URLS: 'http://receiver.default.svc:8080/' }],
    [
      'several, with spaces or lines between them',
      { WEBHOOK_URLS: ' https://a.example\nhttps://b.example/?c ' },
    ],
    ['the same twice', { WEBHOOK_URLS: 'https://a.example https://a.example '.repeat(20) }],
    ['two secrets', { WEBHOOK_SECRET: `${SECRET} ${SECRET}` }],
    ['private addresses', { WEBHOOK_ALLOW_CIDR: '10.0.0.0/8,fd00::/8' }],
    ['none, whatever else there is', { WEBHOOK_URLS: '', WEBHOOK_SECRET: 'short', WEBHOOK_ALLOW_CIDR: 'x' }],
  ])('may be %s', ([, env]) => {
    expect(webhooks(env)).toEqual([])
  })

  test.for<[string, Record<string, string>, unknown[]]>([
    ['no URL', { WEBHOOK_URLS: 'hunter2' }, ['-webhook-urls (WEBHOOK_URLS): number 1 is no URL']],
    [
      'another scheme',
      { WEBHOOK_URLS: 'https://a.example ftp://hunter2' },
      [expect.stringMatching(/number 2 must begin with https/)],
    ],
    [
      'a password',
      { WEBHOOK_URLS: 'https://a:hunter2@b.example' },
      [expect.stringMatching(/number 1 must have no user/)],
    ],
    [
      'a user alone, nor a password alone',
      { WEBHOOK_URLS: 'https://hunter2@b.example https://:hunter2@b.example' },
      [
        expect.stringMatching(/number 1 must have no user/),
        expect.stringMatching(/number 2 must have no user/),
      ],
    ],
    [
      'too many',
      { WEBHOOK_URLS: Array.from({ length: 17 }, (_, index) => `https://a.example/${index}`).join(' ') },
      ['-webhook-urls (WEBHOOK_URLS) must be at most 16 URLs, not 17'],
    ],
    ['no secret', { WEBHOOK_SECRET: '' }, [needed]],
    ['a secret without its prefix', { WEBHOOK_SECRET: 'hunter2'.repeat(5) }, [needed]],
    ['a short secret', { WEBHOOK_SECRET: 'whsec_hunter2=' }, [needed]],
    ['three secrets', { WEBHOOK_SECRET: `${SECRET} ${SECRET} ${SECRET}` }, [needed]],
    ['one wrong secret of two', { WEBHOOK_SECRET: `${SECRET} hunter2` }, [needed]],
    [
      'an address that is no block',
      { WEBHOOK_ALLOW_CIDR: '10.0.0.1' },
      ['-webhook-allow-cidr (WEBHOOK_ALLOW_CIDR) must be blocks like 10.0.0.0/8, not "10.0.0.1"'],
    ],
  ])('must not be or have %s', ([, env, problems]) => {
    expect(webhooks(env)).toEqual(problems)
    expect(webhooks(env).join()).not.toContain('hunter2')
  })

  test('go with -unique alone', () => {
    expect(webhooks({}, [])).toEqual(['-webhook-urls needs -unique: there is nothing else to tell'])
  })
})

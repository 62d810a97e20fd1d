import { expect, onTestFinished, test, vi } from 'vitest'
import { LogValve } from '../../src/access/log-valve.ts'

test('ten lines a second pass, the next of which says how many were held', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(5000)
  onTestFinished(() => now.mockRestore())
  const valve = new LogValve()
  const written: number[] = []
  const pass = (lines: number) => {
    for (let line = 0; line < lines; line++) valve.pass((held) => written.push(held))
    return written.splice(0)
  }
  expect(pass(35)).toEqual(Array.from({ length: 10 }, () => 0))
  now.mockReturnValue(5999)
  expect(pass(1)).toEqual([])
  now.mockReturnValue(6000)
  expect(pass(3)).toEqual([26, 0, 0])
})

import { describe, expect, test } from 'vitest'
import { readPanels } from '../bench/lib/dashboard.ts'

describe.for(readPanels().map((panel) => [panel.title, panel] as const))('the panel "%s"', ([, panel]) => {
  const { description, fieldConfig, targets } = panel

  test('has a unit, a description and a name for each line', () => {
    expect([fieldConfig.defaults.unit, description, targets.length]).not.toContain('')
    for (const { legendFormat } of targets) expect(legendFormat).toMatch(/\S/)
  })

  test('shows the job in the chosen releases', () => {
    for (const { expr } of targets) {
      expect(expr).toContain('job="key-server",namespace=~"$namespace",service=~"$service"')
    }
  })
})

test('no two panels have the same title', () => {
  const titles = readPanels().map(({ title }) => title)
  expect(titles).toEqual([...new Set(titles)])
})

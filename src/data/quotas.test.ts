import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coverage, quotaProgress, readQuotas } from './index.ts'

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-quotas-'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const read = (text: string) => {
  fs.writeFileSync(join(folder, 'quotas.json'), text)
  return readQuotas(join(folder, 'quotas.json'))
}

test('what is furthest from its quota comes first; a stratum without rows has none, one beyond its quota is done', () => {
  const rows = (stratum: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ stratum, prompt: `${stratum} question ${i}`, completion: 'Yes.' }))
  const { strata } = coverage([...rows('edge', 6), ...rows('usual', 9)], [...rows('edge', 3), ...rows('usual', 12)], {
    seed: 1,
    similarity: 0.5,
  })
  const quotas = read('{"demonstrations": {"usual": 10, "edge": 4, "emotional": 5}, "prompts": {"edge": 12}}')
  expect(quotaProgress(strata, quotas)).toEqual([
    { of: 'demonstrations', stratum: 'emotional', wanted: 5, have: 0 },
    { of: 'prompts', stratum: 'edge', wanted: 12, have: 6 },
    { of: 'demonstrations', stratum: 'edge', wanted: 4, have: 3 },
    { of: 'demonstrations', stratum: 'usual', wanted: 10, have: 12 },
  ])
})

test.each([
  ['{"demonstrations": {\n"edge": 0}}', /quotas\.json:2:9: demonstrations\.edge: expected how many are wanted/],
  ['{"demonstrations": {"edge": "many"}}', /quotas\.json:1:\d+: demonstrations\.edge: .*expected number/],
  ['{"edge": 4}', /quotas\.json:1:1: .*edge/],
  ['{}', /expected \{"demonstrations": \{STRATUM: COUNT\}\}/],
  ['[4]', /quotas\.json:1:1: expected \{"demonstrations": \{STRATUM: COUNT\}\}/],
  ['{"prompts": {}}', /prompts: expected at least one stratum/],
  ['{"prompts": ', /quotas\.json:1:\d+/],
])('%s is refused', (text, message) => {
  expect(() => read(text)).toThrow(message)
})

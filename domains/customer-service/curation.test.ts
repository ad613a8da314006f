// Curation finds every planted fault and sets no sound row aside.
import { expect, test } from 'vitest'
import { checkRows } from '#data'
import { constraintRule, demonstrations, heldOutDemonstrations } from './index.ts'

test.each([1, 2, 3])('seed %i: what is set aside is what was planted', (seed) => {
  const { rows, planted } = demonstrations(seed, 2000)
  const report = checkRows(rows, {
    kind: 'demonstrations',
    heldOut: heldOutDemonstrations(seed, 500),
    constraints: [
      {
        name: 'limit',
        broken: ({ prompt, completion }) =>
          constraintRule({ prompt: prompt as string, completion, finished: true }) < 0
            ? 'promises too much'
            : undefined,
      },
    ],
  })
  const aside = report.setAside.map((finding) => finding.row.id)
  expect(new Set(aside)).toEqual(new Set(planted.map((p) => p.id)))
  expect(report.kept.length).toBeGreaterThan(1700)
})

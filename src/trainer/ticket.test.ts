// A reward model enters RL with what its run measured on held-out pairs, or by a word that stays in the config.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSmallFiles, smallJob } from '../../trials/worlds/small-run.ts'
import type { PpoJob } from './jobs.ts'
import { CARD } from './models.ts'
import { rehearse } from './rehearse.ts'
import { readRun } from './run-folder.ts'
import { train } from './train.ts'

let root: string
let files: string
beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-ticket-'))
  files = join(root, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
})
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

/** The small PPO job, its reward model's run having measured `accuracy`. */
function job(accuracy: object | undefined, { isWithout = false } = {}): PpoJob {
  const { withoutTicket: _, judge: __, ...rest } = smallJob('ppo', files, { steps: 2, checkpointEvery: 2 }) as PpoJob
  fs.writeFileSync(join(rest.reward!, CARD), JSON.stringify({ reward: { range: { low: -1, high: 1 }, accuracy } }))
  return { ...rest, ...(isWithout && { withoutTicket: true }) }
}
const SURE = { value: 0.7, low: 0.6, high: 0.8 }
const UNSURE = { value: 0.55, low: 0.5, high: 0.6 }

test.each([
  [
    'no held-out pairs',
    undefined,
    /has no ticket: its run measured no accuracy on held-out pairs; train it with held-out/,
  ],
  [
    'a low end at a half',
    UNSURE,
    /right on 0\.550 \[0\.500, 0\.600\] of held-out pairs, not shown to be better than chance/,
  ],
])('%s: refused before anything is written, and by a dry run too', async (_, accuracy, message) => {
  const out = join(root, 'refused')
  await expect(train(job(accuracy), out, { hone: 'test' })).rejects.toThrow(message)
  await expect(rehearse(job(accuracy), {})).rejects.toThrow(/--without-ticket, which the run records/)
  expect(fs.existsSync(out)).toBe(false)
})

test('with the word it runs and its config says so; with a ticket the word is refused', async () => {
  const out = join(root, 'bold')
  await train(job(undefined, { isWithout: true }), out, { hone: 'test' })
  expect(readRun(out).config.withoutTicket).toBe(true)
  const vain = train(job(SURE, { isWithout: true }), join(root, 'vain'), { hone: 'test' })
  await expect(vain).rejects.toThrow(/--without-ticket would be ignored: .* has its ticket/)
  const { reward: _, ...bare } = job(undefined, { isWithout: true })
  const nothing = train({ ...bare, criticFrom: 'model' }, join(root, 'vain'), { hone: 'test' })
  await expect(nothing).rejects.toThrow(/would be ignored without --reward/)
  await train(job(SURE), join(root, 'good'), { hone: 'test' })
  expect(readRun(join(root, 'good')).config).not.toHaveProperty('withoutTicket')
})

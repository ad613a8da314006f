// A run that takes another's place says whose, wherever both are moved to, and lineage tells it of both without calling one made of
// the other.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readRun } from '#trainer'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { lineageCommand } from './lineage.ts'
import { trainCommands } from './train.ts'

let root: string
const at = (...path: string[]) => join(root, ...path)
beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-supersedes-'))
  fs.mkdirSync(at('desk'))
  await makeSmallFiles(at('desk'))
})
afterEach(() => {
  process.exitCode = 0
  fs.rmSync(root, { recursive: true, force: true })
})

const hone = (...args: string[]) => runCommand([trainCommands, lineageCommand], args)
const sft = (out: string, ...more: string[]) => {
  const from = ['--model', at('desk', 'model'), '--data', at('desk', 'demonstrations.jsonl')]
  return hone('train', 'sft', ...from, '--steps', '1', '--objective', 'none', '--out', at('desk', 'runs', out), ...more)
}

test('its record names the other run by the way there, and lineage knows it of both after a move', async () => {
  await sft('old')
  await sft('new', '--supersedes', at('desk', 'runs', 'old'))
  expect(readRun(at('desk', 'runs', 'new')).record.supersedes).toBe('../old')
  expect(readRun(at('desk', 'runs', 'old')).record).not.toHaveProperty('supersedes')
  fs.renameSync(at('desk'), at('moved'))
  type Told = { target: { detail: string }; nodes: { id: string }[] }
  for (const [run, words, other] of [
    ['new', /; supersedes .*runs\/old$/, 'old'],
    ['old', /; superseded by .*runs\/new$/, 'new'],
  ] as const) {
    const told = (await hone('lineage', at('moved', 'runs', run), '--dir', at('moved'))) as unknown as Told
    expect(told.target.detail).toMatch(words)
    expect(told.nodes.map(({ id }) => id)).not.toContain(at('moved', 'runs', other))
  }
})

test('what is no run, the run itself, and a rehearsal that would leave no record are refused', async () => {
  await expect(sft('new', '--supersedes', at('nowhere'))).rejects.toThrow(/--supersedes: expected the folder of a run/)
  await expect(sft('new', '--supersedes', at('desk', 'runs', 'new'))).rejects.toThrow(/expected another run than --out/)
  const dry = ['--dry-run', '--supersedes', at('desk', 'runs', 'new')]
  await expect(hone('train', 'sft', ...dry)).rejects.toThrow(/--supersedes would be ignored: --dry-run/)
  expect(fs.existsSync(at('desk', 'runs'))).toBe(false)
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { ConfigError } from '#errors'
import { PpoConfig } from '#schema'
import { addFlags, readFlags } from './flags.ts'

const Small = z.strictObject({
  learningRate: z.number().positive().default(0.1).describe('how fast'),
  steps: z.number().int().optional().describe('how long'),
  mode: z.enum(['fast', 'slow']).default('fast').describe('which way'),
})

function parse(args: string[], schema: z.ZodObject = Small) {
  const command = new Command().exitOverride()
  addFlags(command, schema)
  command.parse(args, { from: 'user' })
  return readFlags(command.opts(), schema).config
}

test('flags, config file and defaults come together, flags first', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hone-flags-'))
  try {
    const file = join(folder, 'config.json')
    writeFileSync(file, JSON.stringify({ learningRate: 0.5, mode: 'slow' }))
    expect(parse(['--config', file, '--mode', 'fast'])).toEqual({ learningRate: 0.5, mode: 'fast' })
    expect(parse(['--steps', '3'])).toEqual({ learningRate: 0.1, mode: 'fast', steps: 3 })
    writeFileSync(file, JSON.stringify({ learnRate: 0.5 }))
    expect(() => parse(['--config', file])).toThrow(/learnRate/)
    writeFileSync(file, '[1]')
    expect(() => parse(['--config', file])).toThrow(/JSON object/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  [['--learning-rate', 'quick'], /--learning-rate: expected number, got "quick"/],
  [['--learning-rate', '-1'], /--learning-rate: .*got -1/],
  [['--mode', 'medium'], /fast\|slow/],
  [['--steps', ''], /--steps/],
])('%j is refused in one sentence', (args, message) => {
  expect(() => parse(args)).toThrow(ConfigError)
  expect(() => parse(args)).toThrow(message)
})

test('a number or a word where the schema allows either', () => {
  expect(parse(['--kl-budget', 'off', '--mark-every', '1'], PpoConfig).klBudget).toBe('off')
  expect(parse(['--kl-budget', '3'], PpoConfig).klBudget).toBe(3)
})

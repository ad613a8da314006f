// Samples of a run lie in its folder as tokens; people read text. The tokenizer is that of the model the run began with.
import fs from 'node:fs'
import { join } from 'node:path'
import { readRunConfig } from '#store'
import type { Tokenizer } from '#text'
import { tokenizerIn } from '../tokenizers.ts'
import { rowOf } from './feeds.ts'

export type SampleText = { step: number; prompt: string; completion: string; metrics: Record<string, number> }

const MOST_BYTES = 1 << 24

/** Lines of samples.jsonl as texts; none where the model is no longer there. */
export function sampleTexts(folder: string, lines: readonly string[]): SampleText[] {
  if (lines.length === 0) return []
  const tokenizer = tokenizerOf(folder)
  if (!tokenizer) return []
  const text = (tokens: unknown): string =>
    Array.isArray(tokens) ? tokenizer.decode(Int32Array.from(tokens as number[]), { skipSpecial: true }) : ''
  return lines.flatMap((line) => {
    const row = rowOf(line)
    if (typeof row?.step !== 'number') return []
    const metrics = Object.fromEntries(
      Object.entries((row.metrics ?? {}) as object).filter(
        (entry): entry is [string, number] => typeof entry[1] === 'number',
      ),
    )
    return [{ step: row.step, prompt: text(row.prompt), completion: text(row.completion), metrics }]
  })
}

/** All samples of a run, the newest where they are too many. */
export function allSamples(folder: string): SampleText[] {
  const file = join(folder, 'samples.jsonl')
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return []
  const fd = fs.openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.min(size, MOST_BYTES))
    fs.readSync(fd, bytes, 0, bytes.byteLength, size - bytes.byteLength)
    const lines = bytes
      .toString('utf8')
      .split('\n')
      .slice(size > MOST_BYTES ? 1 : 0, -1)
    return sampleTexts(folder, lines)
  } finally {
    fs.closeSync(fd)
  }
}

function tokenizerOf(folder: string): Tokenizer | undefined {
  const { model } = readRunConfig(folder)
  return typeof model === 'string' ? tokenizerIn(model) : undefined
}

// Tokenizers of models, read once each: to turn a run's samples into text, and to count what people write.
import fs from 'node:fs'
import { join } from 'node:path'
import { loadTokenizer, type Tokenizer } from '#text'

const kept = new Map<string, Tokenizer>()
const MOST_KEPT = 4
/** The bundled model. */
const BASE = join(import.meta.dirname, '../../domains/customer-service/base')

/** Of a model's folder, or `base`; undefined where it is no longer there. */
export function tokenizerIn(folder: string): Tokenizer | undefined {
  const path = folder === 'base' ? BASE : folder
  if (!fs.existsSync(path)) return undefined
  let tokenizer = kept.get(path)
  if (!tokenizer) {
    tokenizer = loadTokenizer(path)
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(path, tokenizer)
  }
  return tokenizer
}

// The prompts that a run watches: tokenised, with room for a sample after each.
import { SAMPLES_MAX_TOKENS, type Watched } from '#align'
import type { Tokenizer } from '#text'
import type { DpoJob, SftJob } from './jobs.ts'
import { readPrompts } from './rows.ts'
import { modelLimit } from './start.ts'
import { promptTokens, requireRows } from './tokens.ts'

/** Undefined where the job watches nothing. Prompts too long are set aside and said; none left is a ConfigError. */
export async function readWatched(
  { watch, model, config }: SftJob | DpoJob,
  tokenizer: Tokenizer,
  say: (text: string) => void,
): Promise<Watched | undefined> {
  if (watch === undefined) return undefined
  const { samplesMaxTokens: maxNew = SAMPLES_MAX_TOKENS } = config
  const rows = await readPrompts(watch)
  const tokenized = await promptTokens(
    tokenizer,
    rows.map(({ prompt }) => prompt),
    { maxTokens: modelLimit(model), maxNew },
  )
  return { prompts: requireRows(tokenized, 'watched prompts', say), stopTokens: tokenizer.eosIds }
}

// Rows of text as the token arrays that recipes take. A row too long for the model, or refused by its chat template, is
// set aside with its reason: the caller says how many and why.
import type { Example, PairExample } from '#align'
import { ConfigError, invariant } from '#errors'
import type { Demonstration, Preference, Prompt } from '#schema'
import { tokenizeDemonstration, tokenizePrompt, type Tokenizer } from '#text'

export type SetAside = { row: number; reason: string }
export type Tokenized<T> = { rows: T[]; setAside: SetAside[] }

type Limits = { maxTokens: number }

export async function demonstrationExamples(
  tokenizer: Tokenizer,
  rows: readonly Demonstration[],
  limits: Limits,
): Promise<Tokenized<Example>> {
  return tokenizeRows(rows, (row) => exampleOf(tokenizer, row, limits))
}

/** Preferences as pairs of completions of one prompt. */
export async function pairExamples(
  tokenizer: Tokenizer,
  rows: readonly Preference[],
  limits: Limits,
): Promise<Tokenized<PairExample>> {
  return tokenizeRows(rows, async ({ prompt, a, b, probability, weight, strength, tie, bothBad }) => {
    const first = await exampleOf(tokenizer, { prompt, completion: a }, limits)
    const second = await exampleOf(tokenizer, { prompt, completion: b }, limits)
    if ('reason' in first) return first
    if ('reason' in second) return second
    return {
      prompt: first.prompt,
      a: first.completion,
      b: second.completion,
      probability,
      weight,
      ...(strength !== undefined && { margin: strength }),
      ...(tie !== undefined && { tie }),
      ...(bothBad !== undefined && { bothBad }),
    }
  })
}

/** Prompts ready for a completion of up to `maxNew` tokens to follow. */
export async function promptTokens(
  tokenizer: Tokenizer,
  prompts: readonly Prompt[],
  { maxTokens, maxNew }: Limits & { maxNew: number },
): Promise<Tokenized<Int32Array>> {
  return tokenizeRows(prompts, async (prompt) => {
    const tokens = await tokenizePrompt(tokenizer, prompt)
    const most = maxTokens - maxNew
    return tokens.length <= most
      ? tokens
      : { reason: `the prompt has ${tokens.length} tokens; with ${maxNew} new ones at most ${most} fit the model` }
  })
}

/** Whole texts: every token but the first is scored. Texts of less than two tokens are left out. */
export function textExamples(tokenizer: Tokenizer, texts: readonly string[]): Example[] {
  return texts
    .map((text) => Int32Array.from([...tokenizer.encode(text), tokenizer.eosId]))
    .filter((tokens) => tokens.length > 2)
    .map((tokens) => ({ prompt: tokens.subarray(0, 1), completion: tokens.subarray(1) }))
}

/** The usable rows; says how many were set aside, and refuses to go on with nothing. */
export function requireRows<T>({ rows, setAside }: Tokenized<T>, what: string, say: (text: string) => void): T[] {
  if (rows.length === 0)
    throw new ConfigError(
      `expected at least one usable row of ${what}, got none of ${setAside.length}: ${setAside[0]?.reason ?? 'the file is empty'}`,
    )
  if (setAside.length > 0)
    say(
      `${what}: ${setAside.length} of ${rows.length + setAside.length} rows are set aside; row ${setAside[0]!.row + 1} ${setAside[0]!.reason}`,
    )
  return rows
}

/** Those of `from` that were not set aside. */
export function usable<R>(from: readonly R[], { setAside }: Pick<Tokenized<unknown>, 'setAside'>): R[] {
  const without = new Set(setAside.map(({ row }) => row))
  return from.filter((_, row) => !without.has(row))
}

async function exampleOf(
  tokenizer: Tokenizer,
  row: { prompt: Prompt; completion: string },
  limits: Limits,
): Promise<Example | { reason: string }> {
  const tokenized = await tokenizeDemonstration(tokenizer, { prompt: row.prompt, completion: row.completion }, limits)
  if ('reason' in tokenized) return tokenized
  const { tokens, isScored } = tokenized
  // A completion without a prompt: nothing precedes its first token, so that one is given.
  const start = Math.max(1, isScored.indexOf(1))
  invariant(isScored.lastIndexOf(0) < start, 'a completion is one run of tokens at the end')
  return { prompt: tokens.subarray(0, start), completion: tokens.subarray(start) }
}

async function tokenizeRows<R, T extends object>(
  rows: readonly R[],
  tokenize: (row: R) => Promise<T | { reason: string }>,
): Promise<Tokenized<T>> {
  const result: Tokenized<T> = { rows: [], setAside: [] }
  for (const [row, value] of rows.entries()) {
    const tokenized = await tokenize(value)
    if ('reason' in tokenized) result.setAside.push({ row, reason: tokenized.reason })
    else result.rows.push(tokenized)
  }
  return result
}

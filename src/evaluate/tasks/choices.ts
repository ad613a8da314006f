// Multiple choice by log-probability, as lm-evaluation-harness has it: each choice is scored after the prompt, and the model's
// is the likeliest; the end of sequence is no part of it. acc compares sums, acc_norm sums over characters of the choice,
// acc_token sums over its tokens. Prompt and choice are encoded apart, white space at the seam with the choice.
import type { Engine, Model, Sequence } from '#engine/contract'
import { DataError, EngineError } from '#errors'
import type { Prompt } from '#schema'
import { type Tokenizer, tokenizePrompt } from '#text'
import { requireCapabilities } from '../capabilities.ts'
import { delimiterAfter } from './prompts.ts'
import type { Task } from './read.ts'

/** Of each choice in order: nats of the whole choice, its tokens, its characters (code points). */
export type ChoiceScores = { logprobs: number[]; tokens: number[]; characters: number[] }

/** Questions given to the engine at once: it packs them as it sees fit, and progress stays interruptible. */
const ROWS_A_CALL = 32

type Asked = { engine: Engine; model: Model; tokenizer: Tokenizer; maxTokens: number; signal?: AbortSignal }

/** Scores of every row's choices after `prompts`, one of each row. A row too long for the model is a DataError: cutting it would change the question. */
export async function choiceScores(
  { engine, model, tokenizer, maxTokens, signal }: Asked,
  task: Task,
  prompts: readonly Prompt[],
): Promise<ChoiceScores[]> {
  requireCapabilities(await engine.capabilities(), { outputs: ['logprobs'] }, 'multiple choice')
  const groups: Sequence[][] = []
  for (const [i, prompt] of prompts.entries()) {
    const { id, choices } = task.rows[i]!
    groups.push(
      await sequencesOf(tokenizer, prompt, {
        choices: choices!,
        delimiter: delimiterAfter(prompt, task),
        maxTokens,
        id,
      }),
    )
  }
  const scores: ChoiceScores[] = []
  for (let from = 0; from < groups.length; from += ROWS_A_CALL) {
    const part = groups.slice(from, from + ROWS_A_CALL)
    const outputs = await engine.forward(model, part, ['logprobs'], {
      temperature: 1,
      seed: 0,
      ...(signal && { signal }),
    })
    for (const [i, group] of outputs.entries()) {
      const { id, choices } = task.rows[from + i]!
      const logprobs = group.map(({ logprobs_S }) => [...logprobs_S!].reduce((sum, logprob) => sum + logprob, 0))
      if (logprobs.some((sum) => !Number.isFinite(sum)))
        throw new EngineError(`row ${id} has a log-probability that is not finite`)
      const tokens = group.map(({ logprobs_S }) => logprobs_S!.length)
      scores.push({ logprobs, tokens, characters: choices!.map((choice) => Array.from(choice).length) })
    }
  }
  return scores
}

async function sequencesOf(
  tokenizer: Tokenizer,
  prompt: Prompt,
  { choices, delimiter, maxTokens, id }: { choices: string[]; delimiter: string; maxTokens: number; id: string },
): Promise<Sequence[]> {
  const seam = typeof prompt === 'string' ? prompt.slice(prompt.trimEnd().length) : ''
  const context = await tokenizePrompt(tokenizer, typeof prompt === 'string' ? prompt.trimEnd() : prompt)
  if (context.length === 0) throw new DataError(`expected a prompt of at least one token, got none in row ${id}`)
  return choices.map((choice) => {
    const completion = tokenizer.encode(`${seam}${delimiter}${choice}`)
    const length = context.length + completion.length
    if (length > maxTokens)
      throw new DataError(
        `expected prompt and choice of at most the model's ${maxTokens} tokens, got ${length} in row ${id}: shorten it, or take fewer shots`,
      )
    const tokens = new Int32Array(length)
    tokens.set(context)
    tokens.set(completion, context.length)
    return { tokens, isScored: new Uint8Array(length).fill(1, context.length) }
  })
}

/** The model's choice by each way of reading the scores; the first of equals. */
export function chosen({ logprobs, tokens, characters }: ChoiceScores): {
  acc: number
  acc_norm: number
  acc_token: number
} {
  const best = (scores: number[]) => scores.indexOf(Math.max(...scores))
  return {
    acc: best(logprobs),
    acc_norm: best(logprobs.map((sum, i) => sum / characters[i]!)),
    acc_token: best(logprobs.map((sum, i) => sum / tokens[i]!)),
  }
}

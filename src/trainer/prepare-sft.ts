// Supervised fine-tuning: demonstrations to examples, one model that trains.
import { type Example, sft } from '#align'
import type { Engine, Model } from '#engine/contract'
import { readTexts } from '#data'
import { promptGain } from '#evaluate'
import { DataError } from '#errors'
import { loadTokenizer, type Tokenizer } from '#text'
import type { SftJob } from './jobs.ts'
import { artifactsOf, readDemonstrations } from './rows.ts'
import { modelLimit, startOrResume } from './start.ts'
import { demonstrationExamples, requireRows, textExamples } from './tokens.ts'
import type { Context, Prepared } from './train.ts'
import { readWatched } from './watched.ts'

/** Enough for an interval of a few hundredths of a nat, and a fraction of one evaluation. */
const GAIN_ROWS = 200

export async function prepareSft(job: SftJob, context: Context): Promise<Prepared> {
  const { engine, say, resume } = context
  const tokenizer = loadTokenizer(job.model)
  const limits = { maxTokens: modelLimit(job.model) }
  const examplesOf = async (file: string, what: string) =>
    requireRows(await demonstrationExamples(tokenizer, await readDemonstrations(file), limits), what, say)
  const examples = await examplesOf(job.data, 'demonstrations')
  const heldOut = job.heldOut === undefined ? undefined : await examplesOf(job.heldOut, 'held-out demonstrations')
  const replay = job.replay === undefined ? undefined : textExamples(tokenizer, await readTexts(job.replay))
  const general = job.general === undefined ? undefined : await generalExamples(tokenizer, job.general, limits)
  const watched = await readWatched(job, tokenizer, say)
  const model = await startOrResume(context, 'model', {
    weights: job.model,
    lora: job.lora,
    seed: job.config.seed,
  })
  return {
    recipe: sft({
      engine,
      model,
      config: job.config,
      examples,
      ...(heldOut && { heldOut }),
      ...(general && { general }),
      ...(replay && { replay }),
      ...(watched && { watched }),
      ...(resume && { resume }),
    }),
    models: { model },
    result: 'model',
    inputs: artifactsOf(
      { data: job.data, heldOut: job.heldOut, replay: job.replay, general: job.general, watch: job.watch },
      { model: job.model },
    ),
    simulated: false,
    finish: async () => {
      const gain = heldOut && (await gainOf(engine, model, heldOut, job.config.seed))
      return gain ? { sft: { promptGain: gain } } : {}
    },
  }
}

/** A fixed corpus: a text that the model cannot hold whole is refused, since each model would be measured on another part of it. */
async function generalExamples(
  tokenizer: Tokenizer,
  file: string,
  { maxTokens }: { maxTokens: number },
): Promise<Example[]> {
  const rows = textExamples(tokenizer, await readTexts(file))
  if (rows.length === 0) throw new DataError('expected at least one text of two tokens, got none', { file })
  const long = rows.map(({ completion }) => completion.length + 1).find((tokens) => tokens > maxTokens)
  if (long !== undefined)
    throw new DataError(`expected texts of at most the model's ${maxTokens} tokens, got one of ${long}: cut it`, {
      file,
    })
  return rows
}

/** Undefined where no two rows differ in their prompts. */
async function gainOf(engine: Engine, model: Model, heldOut: Example[], seed: number) {
  const rows = heldOut.filter(({ prompt }) => prompt.length > 0).slice(0, GAIN_ROWS)
  const isOne = new Set(rows.map(({ prompt }) => prompt.join(' '))).size < 2
  return isOne ? undefined : promptGain(engine, model, rows, { seed })
}

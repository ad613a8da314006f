// Supervised fine-tuning: demonstrations to examples, one model that trains.
import { type Example, sft } from '#align'
import type { Engine, Model } from '#engine/contract'
import { promptGain } from '#evaluate'
import { loadTokenizer } from '#text'
import type { SftJob } from './jobs.ts'
import { artifactsOf, readDemonstrations, readTexts } from './rows.ts'
import { modelLimit, startOrResume } from './start.ts'
import { demonstrationExamples, requireRows, textExamples } from './tokens.ts'
import type { Context, Prepared } from './train.ts'

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
      ...(replay && { replay }),
      ...(resume && { resume }),
    }),
    models: { model },
    result: 'model',
    inputs: artifactsOf({ data: job.data, heldOut: job.heldOut, replay: job.replay }, { model: job.model }),
    simulated: false,
    finish: async () => {
      const gain = heldOut && (await gainOf(engine, model, heldOut, job.config.seed))
      return gain ? { sft: { promptGain: gain } } : {}
    },
  }
}

/** Undefined where no two rows differ in their prompts. */
async function gainOf(engine: Engine, model: Model, heldOut: Example[], seed: number) {
  const rows = heldOut.filter(({ prompt }) => prompt.length > 0).slice(0, GAIN_ROWS)
  const isOne = new Set(rows.map(({ prompt }) => prompt.join(' '))).size < 2
  return isOne ? undefined : promptGain(engine, model, rows, { seed })
}

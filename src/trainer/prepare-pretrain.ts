// Pretraining of a small base: maximum likelihood of whole texts, one text a row.
import { sft } from '#align'
import { readTexts } from '#data'
import { loadTokenizer } from '#text'
import type { PretrainJob } from './jobs.ts'
import { artifactsOf } from './rows.ts'
import { startOrResume } from './start.ts'
import { textExamples } from './tokens.ts'
import type { Context, Prepared } from './train.ts'

export async function preparePretrain(job: PretrainJob, context: Context): Promise<Prepared> {
  const { engine, resume } = context
  const tokenizer = loadTokenizer(job.model)
  const examples = textExamples(tokenizer, await readTexts(job.data))
  const heldOut = job.heldOut === undefined ? undefined : textExamples(tokenizer, await readTexts(job.heldOut))
  const model = await startOrResume(context, 'model', { weights: job.model, seed: job.config.seed })
  return {
    recipe: sft({
      engine,
      model,
      config: job.config,
      examples,
      ...(heldOut && { heldOut }),
      ...(resume && { resume }),
    }),
    models: { model },
    result: 'model',
    inputs: artifactsOf({ data: job.data, heldOut: job.heldOut }, { model: job.model }),
    simulated: false,
  }
}

// Step 3: supervised fine-tuning on the curated demonstrations, and the gate before anybody compares its samples.
import { checkGate, perplexityOf, perplexityRatio, rowLosses } from '#evaluate'
import type { Demonstration, SftReport } from '#schema'
import { wilson } from '#stats'
import { demonstrationExamples, readDemonstrations, readTexts, textExamples, train, type Trained } from '#trainer'
import { runOrResume } from './runs.ts'
import { data, readJsonl, replies, run, type Stage, trainOptions, withWeights } from './stage.ts'

export async function fineTune(stage: Stage): Promise<SftReport> {
  const { seed, base, domain, tokenizer, settings } = stage
  const trained: Trained = await runOrResume(run(stage, 'sft'), trainOptions(stage), (o) =>
    train(
      {
        recipe: 'sft',
        config: settings.sft,
        device: 'cpu',
        model: base,
        data: data(stage, 'demonstrations'),
        heldOut: data(stage, 'held-out'),
        replay: data(stage, 'replay'),
      },
      run(stage, 'sft'),
      o,
    ),
  )
  const heldOut = await readDemonstrations(data(stage, 'held-out'))
  const general = await readTexts(data(stage, 'general'))
  const before = await lossesOf(stage, base, { heldOut, general })
  const after = await lossesOf(stage, trained.model, { heldOut, general })
  const perplexity = (losses: Parameters<typeof perplexityOf>[0]) => perplexityOf(losses, { seed }).perplexity.value
  const prompts = domain.prompts(seed, { n: settings.sizes.heldOut, split: 'held-out' }).map((p) => p.prompt)
  const samples = await withWeights(stage, trained.model, (model) => replies(stage, model, prompts, 'format'))
  const whole = samples.filter(({ finished, completion }) => finished && completion.trim() !== '').length
  const curve = readJsonl<{ step: number; loss?: number; heldOutLoss?: number }>(`${run(stage, 'sft')}/metrics.jsonl`)
  const losses = curve.filter((row) => row.loss !== undefined)
  return {
    lossFirst: losses[0]!.loss!,
    lossLast: losses.at(-1)!.loss!,
    heldOutLoss: perplexityOf(after.heldOut, { seed }).natsPerToken.value,
    floor: domain.entropyFloor(
      heldOut.map(({ prompt, completion }) => ({ prompt: prompt as string, completion })),
      (completion) => tokenizer.encode(completion).length + 1,
    ).perToken,
    gate: checkGate(
      { name: 'replies are whole', statistic: 'whole', bound: 'low', comparison: 'above', value: 0.95 },
      { whole: wilson(whole, samples.length) },
    ),
    perplexity: {
      domain: { before: perplexity(before.heldOut), after: perplexity(after.heldOut) },
      general: { before: perplexity(before.general), after: perplexity(after.general) },
    },
    steps: trained.outcome.steps,
    heldOutRows: heldOut.length,
    curve: thin(curve).map(({ step, loss, heldOutLoss }) => ({
      step,
      loss: loss ?? null,
      ...(heldOutLoss !== undefined && { heldOut: heldOutLoss }),
    })),
  }
}

type Rows = { heldOut: Demonstration[]; general: string[] }

async function lossesOf(stage: Stage, weights: string, rows: Rows) {
  const { engine, tokenizer } = stage
  return withWeights(stage, weights, async (model) => {
    const demonstrations = await demonstrationExamples(tokenizer, rows.heldOut, { maxTokens: Infinity })
    return {
      heldOut: await rowLosses(engine, model, demonstrations.rows),
      general: await rowLosses(engine, model, textExamples(tokenizer, rows.general)),
    }
  })
}

/** General perplexity of `weights` over the base's, with its interval. */
export async function generalRatio(stage: Stage, weights: string) {
  const rows = { heldOut: [], general: await readTexts(data(stage, 'general')) }
  const before = await lossesOf(stage, stage.base, rows)
  const after = await lossesOf(stage, weights, rows)
  return perplexityRatio(before.general, after.general, { seed: stage.seed })
}

/** Every row with a held-out loss, and about 300 of the others. */
function thin<T extends { heldOutLoss?: number }>(rows: T[]): T[] {
  const every = Math.ceil(rows.length / 300)
  return rows.filter((row, i) => row.heldOutLoss !== undefined || i % every === 0)
}

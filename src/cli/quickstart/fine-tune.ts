// Step 3: supervised fine-tuning on the curated demonstrations, and the gate before anybody compares its samples.
import { readTexts } from '#data'
import {
  checkGate,
  formatOf,
  formatStatistics,
  type Gate,
  perplexityOf,
  perplexityRatio,
  type RowLoss,
  rowLosses,
  type TokenRow,
} from '#evaluate'
import type { SftReport } from '#schema'
import { wilson } from '#stats'
import { demonstrationExamples, readDemonstrations, readRules, textExamples, train, type Trained } from '#trainer'
import { runOrResume } from '../run-or-resume.ts'
import { writeRules } from './reinforce.ts'
import { data, readJsonl, replies, type Reply, run, type Stage, trainOptions, withWeights } from './stage.ts'

/** No simulated expert refuses; to be sorry is part of how they write. */
const REFUSAL = /\b(?:i (?:cannot|can(?:'|\u2019)t|won(?:'|\u2019)t) (?:help|assist|answer)|as an ai)\b/i

/** What fine-tuning must have taught before anybody is asked to compare its replies. */
const FORM: Gate[] = [
  leastOf('replies state no wrong fact', 'rules.fact', 0.65),
  leastOf('replies promise within the limits', 'rules.constraint', 0.8),
  leastOf('replies do not greet as another channel does', 'rules.greeting', 0.75),
  mostOf('replies do not go in circles', 'repetitive', 0.05),
  mostOf('replies do not refuse', 'refusals', 0.05),
]

function leastOf(name: string, statistic: string, value: number): Gate {
  return { name, statistic, bound: 'low', comparison: 'above', value }
}

function mostOf(name: string, statistic: string, value: number): Gate {
  return { name, statistic, bound: 'high', comparison: 'below', value }
}

export async function fineTune(stage: Stage): Promise<SftReport> {
  const { seed, base, dtype, lora, domain, tokenizer, settings } = stage
  const trained: Trained = await runOrResume(run(stage, 'sft'), trainOptions(stage), (o) =>
    train(
      {
        recipe: 'sft',
        config: settings.sft,
        device: 'cpu',
        dtype,
        ...(lora && { lora }),
        model: base,
        data: data(stage, 'demonstrations'),
        heldOut: data(stage, 'held-out'),
        ...(settings.sft.replayShare > 0 && { replay: data(stage, 'replay') }),
      },
      run(stage, 'sft'),
      o,
    ),
  )
  const heldOut = await readDemonstrations(data(stage, 'held-out'))
  const { rows } = await demonstrationExamples(tokenizer, heldOut, { maxTokens: Infinity })
  const before = { heldOut: await lossesOf(stage, base, rows), general: await generalOfBase(stage) }
  const after = {
    heldOut: await lossesOf(stage, trained.model, rows),
    general: await lossesOf(stage, trained.model, await generalRows(stage)),
  }
  const heldOutLoss = perplexityOf(after.heldOut, { seed }).natsPerToken
  const prompts = domain.prompts(seed, { n: settings.sizes.heldOut, split: 'held-out' }).map((p) => p.prompt)
  const samples = await withWeights(stage, trained.model, (model) => replies(stage, model, prompts, 'format'))
  const whole = samples.filter(({ finished, completion }) => finished && completion.trim() !== '').length
  const form = await formOf(stage, samples)
  const curve = readJsonl<{ step: number; loss?: number; heldOutLoss?: number }>(`${run(stage, 'sft')}/metrics.jsonl`)
  const losses = curve.filter((row) => row.loss !== undefined)
  return {
    lossFirst: losses[0]!.loss!,
    lossLast: losses.at(-1)!.loss!,
    heldOutLoss: heldOutLoss.value,
    intervals: { heldOutLoss },
    floor: domain.entropyFloor(
      heldOut.map(({ prompt, completion }) => ({ prompt: prompt as string, completion })),
      (completion) => tokenizer.encode(completion).length + 1,
    ).perToken,
    gate: checkGate(
      { name: 'replies are whole', statistic: 'whole', bound: 'low', comparison: 'above', value: 0.95 },
      { whole: wilson(whole, samples.length) },
    ),
    formGates: FORM.map((gate) => checkGate(gate, form)),
    form: { ...form.rules, finished: form.finished, refusals: form.refusals, repetitive: form.repetitive },
    perplexity: {
      domain: perplexityChange(before.heldOut, after.heldOut, seed),
      general: perplexityChange(before.general, after.general, seed),
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

/** Shares of the replies, those that break no rule among them, rule by rule. */
async function formOf(stage: Stage, samples: readonly Reply[]) {
  // What a rule takes points for is broken; what earns none is merely not there.
  const rules = (await readRules(writeRules(stage))).map(({ name, score }) => ({
    name,
    isHeld: (row: Parameters<typeof score>[0]) => score(row) >= 0,
  }))
  const formats = samples.map(({ prompt, completion, finished }) =>
    formatOf({ text: completion, prompt, finished }, { specials: [], ends: [], rules, refusal: REFUSAL }),
  )
  const groups = samples.map(({ prompt }) => prompt)
  return formatStatistics(formats, { groups, rules, seed: stage.seed, level: 0.95 })
}

function perplexityChange(before: RowLoss[], after: RowLoss[], seed: number): SftReport['perplexity']['domain'] {
  const intervals = {
    before: perplexityOf(before, { seed }).perplexity,
    after: perplexityOf(after, { seed }).perplexity,
    ratio: perplexityRatio(before, after, { seed }),
  }
  return { before: intervals.before.value, after: intervals.after.value, intervals }
}

function lossesOf(stage: Stage, weights: string, rows: readonly TokenRow[]): Promise<RowLoss[]> {
  const { engine, signal } = stage
  return withWeights(stage, weights, (model) => rowLosses(engine, model, rows, { ...(signal && { signal }) }))
}

async function generalRows(stage: Stage) {
  return textExamples(stage.tokenizer, await readTexts(data(stage, 'general')))
}

/** Asked for by SFT and by evaluation; with a large base it takes a while. */
const generalLosses = new WeakMap<Stage, RowLoss[]>()

async function generalOfBase(stage: Stage): Promise<RowLoss[]> {
  const losses = generalLosses.get(stage) ?? (await lossesOf(stage, stage.base, await generalRows(stage)))
  generalLosses.set(stage, losses)
  return losses
}

/** General perplexity of `weights` over the base's, with its interval. */
export async function generalRatio(stage: Stage, weights: string) {
  const before = await generalOfBase(stage)
  return perplexityRatio(before, await lossesOf(stage, weights, await generalRows(stage)), { seed: stage.seed })
}

/** Every row with a held-out loss, and about 300 of the others. */
function thin<T extends { heldOutLoss?: number }>(rows: T[]): T[] {
  const every = Math.ceil(rows.length / 300)
  return rows.filter((row, i) => row.heldOutLoss !== undefined || i % every === 0)
}

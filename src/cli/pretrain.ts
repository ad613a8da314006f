// hone pretrain: makes the tiny base of a domain anew, tokenizer included, and measures whether it learned to look up.
import fs from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import { writeDurable } from '#files'
import { createEmbeddedEngine, createFolder } from '#lm'
import { SftConfig } from '#schema'
import { loadTokenizer, trainBpe } from '#text'
import { PretrainJob, resume, train } from '#trainer'
import { version } from './version.ts'
import { loadDomain } from './domains.ts'
import { lookupAccuracy } from './lookup.ts'
import { duration, figure, output } from './output.ts'
import { progressOf } from './progress.ts'
import { Stopped, stoppable } from './stop.ts'

type Options = { domain: string; out?: string; resume?: string; tokens?: string; json?: boolean }
type Domain = Awaited<ReturnType<typeof loadDomain>>

export function pretrainCommand(program: Command): void {
  program
    .command('pretrain')
    .description("make a domain's tiny base: tokenizer, corpus, weights, and the look-up gate")
    .option('--domain <name>', 'whose corpus and recipe', 'customer-service')
    .option('--out <folder>', 'folder of the new run')
    .option('--resume <run>', 'go on with a stopped run')
    .option('--tokens <number>', "train on so many tokens instead of the recipe's")
    .option('--json', 'events as JSON lines')
    .action(pretrain)
}

async function pretrain(options: Options): Promise<void> {
  const out = output(options)
  const domain = await loadDomain(options.domain)
  const ignored = (['out', 'tokens'] as const).find((name) => options[name] !== undefined)
  if (options.resume !== undefined && ignored !== undefined)
    throw new ConfigError(`--${ignored} would be ignored: --resume goes on with what the run began with`)
  const folder = options.resume ?? options.out
  if (folder === undefined) throw new ConfigError('expected --out FOLDER for a new run, or --resume RUN')
  const job = options.resume === undefined ? makeJob(domain, folder, options.tokens) : undefined
  const trained = await stoppable(async (signal) => {
    const o = { hone: version(), signal, onProgress: progressOf(out), say: out.say }
    return job ? train(job, folder, o) : resume(folder, o)
  })
  out.endProgress()
  if (!trained.finished)
    throw new Stopped(`stopped after step ${trained.outcome.steps}; go on with: hone pretrain --resume ${folder}`)
  const { lookupAccuracy: least, questions } = domain.recipe.gate
  const engine = createEmbeddedEngine()
  const accuracy = await lookupAccuracy(
    engine,
    trained.model,
    domain.lookupEval(domain.recipe.training.seed, questions),
  )
  out.event({ event: 'done', model: trained.model, lookupAccuracy: accuracy, passed: accuracy.value >= least })
  out.say(
    `${trained.model}: look-up accuracy ${figure(accuracy.value)} [${figure(accuracy.low)}, ${figure(accuracy.high)}] on ${questions} questions, the gate is ${least}: ${accuracy.value >= least ? 'passed' : 'NOT passed'}`,
  )
}

/** Writes corpus, tokenizer and fresh weights beside the run, and the job over them. */
function makeJob(domain: Domain, folder: string, tokens?: string): PretrainJob {
  const { model: shape, training } = domain.recipe
  const budget = tokens === undefined ? training.tokens : Number(tokens)
  if (!Number.isInteger(budget) || budget < 1) throw new ConfigError(`--tokens: expected a whole number, got ${tokens}`)
  if (fs.existsSync(join(folder, 'run.json')))
    throw new ConfigError(
      `--out: expected a folder without a run, got ${folder}; go on with it by --resume ${folder}, or choose another`,
    )
  fs.mkdirSync(folder, { recursive: true })
  const start = performance.now()
  const files = trainBpe({
    texts: domain.tokenizerTexts(training.seed),
    vocabSize: shape.vocabulary,
    specials: { pad: '<pad>', eos: '<end>' },
    seedTokens: domain.seedTokens,
  })
  const fresh = join(folder, 'fresh')
  fs.rmSync(fresh, { recursive: true, force: true })
  const vocabSize = Object.keys(
    (JSON.parse(files['tokenizer.json']) as { model: { vocab: object } }).model.vocab,
  ).length
  createFolder({
    config: {
      architecture: 'LlamaForCausalLM',
      vocabSize,
      hiddenSize: shape.hidden,
      intermediateSize: shape.intermediate,
      layers: shape.layers,
      heads: shape.heads,
      keyValueHeads: shape.keyValueHeads,
      headDim: shape.hidden / shape.heads,
      rmsNormEps: 1e-5,
      ropeTheta: shape.ropeTheta,
      tieWordEmbeddings: shape.tiedEmbeddings,
      maxPositionEmbeddings: shape.maxTokens,
      padTokenId: 0,
      eosTokenIds: [1],
      dtype: 'float32',
    },
    seed: training.seed,
    to: fresh,
    extraFiles: files,
  })
  const tokenizer = loadTokenizer(fresh)
  const texts: string[] = []
  let count = 0
  for (const text of domain.baseCorpus(training.seed)) {
    const length = tokenizer.encode(text).length + 1
    if (length > shape.maxTokens) continue
    texts.push(text)
    if ((count += length) >= budget) break
  }
  writeTexts(join(folder, 'corpus.jsonl'), texts)
  writeTexts(join(folder, 'held-out.jsonl'), domain.generalText(training.seed, 200, 'held-out'))
  process.stderr.write(
    `tokenizer of ${vocabSize}, corpus of ${texts.length} documents, ${count} tokens: ${duration((performance.now() - start) / 1000)}\n`,
  )
  return PretrainJob.parse({
    recipe: 'pretrain',
    config: SftConfig.parse({
      seed: training.seed,
      epochs: 1,
      batchSize: training.documentsPerStep,
      learningRate: training.learningRate,
      beta1: training.betas[0],
      beta2: training.betas[1],
      epsilon: training.epsilon,
      weightDecay: training.weightDecay,
      clipNorm: training.clipNorm,
      warmupSteps: training.warmupSteps,
      floor: training.lastLearningRate,
      evalEvery: 500,
      checkpointEvery: 500,
    }),
    model: resolve(fresh),
    data: resolve(folder, 'corpus.jsonl'),
    heldOut: resolve(folder, 'held-out.jsonl'),
  })
}

function writeTexts(file: string, texts: string[]): void {
  writeDurable(file, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''))
}

// From a folder to a model on its device: a Hugging Face folder, or what `save(_, 'resume')` wrote, which is the same
// with moments. Heads come from the folder when it holds them, else fresh from the spec's seed.
import fs from 'node:fs'
import { join } from 'node:path'
import { DataError, EngineError } from '#errors'
import type { HeadSpec, ModelSpec, Saved } from '#engine/contract'
import { sha256File } from '#files'
import { fromBytes, scope, type Tensor, toFloat32 } from '#torch'
import type { Arithmetics } from './arithmetic.ts'
import type { LlamaConfig } from './config.ts'
import { type ModelFolder, readFolder } from './folder.ts'
import { freshHeads, scorePlan, valuePlan } from './heads.ts'
import { HEADS_FILE, MOMENTS_FILE, readSidecar, type Sidecar } from './sidecar.ts'
import { assembleLlama, bodyPlan } from './llama.ts'
import { describeModel, type LanguageModel } from './model.ts'
import { type Parameter, type ParameterPlan, upload, uploadParameter, type Values } from './parameters.ts'
import { inverseFrequencies } from './rope.ts'
import { readSafetensors, type StoredTensor } from './safetensors.ts'

export function loadModel(
  spec: ModelSpec,
  o: { id: number; device: string; arithmetics: Arithmetics; base: LanguageModel | undefined },
): LanguageModel {
  if (typeof spec.trains === 'object')
    throw new EngineError('trains: adapters are not built yet; expected "all" or "nothing"')
  const isResume = 'resume' in spec.from
  const path = 'resume' in spec.from ? spec.from.resume.folder : spec.from.weights
  if ('resume' in spec.from) verify(spec.from.resume)
  const folder = readFolder(path)
  const sidecar = readSidecar(path)
  if (isResume && !sidecar)
    throw new DataError('is not there; expected what save(_, "resume") wrote', { file: join(path, 'hone.json') })
  const heads = chooseHeads(folder, sidecar, spec.heads)
  const stored = valuesIn(folder.tensors, path)
  const storedHeads = heads.file
    ? valuesIn(readSafetensors(join(path, HEADS_FILE)).tensors, join(path, HEADS_FILE))
    : undefined
  const fresh = freshHeads(heads.fresh, folder.config.hiddenSize, spec.seed ?? 0)
  const readHead = (key: string): Values | undefined => fresh.get(key) ?? storedHeads?.(key) ?? stored(key)
  const made: Tensor[] = []
  try {
    const place = (plan: ParameterPlan, read: (key: string) => Values | undefined): Parameter => {
      const tensor = uploadParameter(plan, read, o.device)
      made.push(tensor)
      tensor.requiresGrad = spec.trains === 'all'
      return { ...plan, tensor }
    }
    const { config } = folder
    const hasHead = folder.tensors.has('lm_head.weight') || config.architecture === 'LlamaForCausalLM'
    const plans = bodyPlan(config, { hasHead })
    refuseUnknownKeys(folder, plans)
    if (o.base) checkShared(o.base, spec, folder)
    const body = o.base?.body ?? plans.map((plan) => place(plan, stored))
    const headPlans = [
      ...(heads.value ? valuePlan(heads.value, config.hiddenSize) : []),
      ...(heads.scores ? [scorePlan(heads.scores.names.length, config.hiddenSize)] : []),
    ]
    const headParameters = headPlans.map((plan) => place(plan, readHead))
    const byName = new Map([...body, ...headParameters].map((p) => [p.name, p.tensor]))
    const frequencies = upload(inverseFrequencies(config), [config.headDim / 2], o.device)
    made.push(frequencies)
    const model: LanguageModel = {
      id: o.id,
      engine: 'embedded',
      config,
      device: o.device,
      arithmetics: o.arithmetics,
      trains: spec.trains,
      sideFiles: Object.fromEntries(folder.sideFiles.map((name) => [name, fs.readFileSync(join(path, name))])),
      llama: assembleLlama(config, (name) => byName.get(name), frequencies),
      body,
      heads: headParameters,
      budget: microBatchTokens(config),
      updates: (isResume && sidecar?.updates) || { body: 0, heads: 0, step: 0 },
      streams: 0,
      passes: 0,
      base: o.base,
      sharers: 0,
      isReleased: false,
    }
    if (heads.value) {
      const layers = [...heads.value.hidden, 1].map((_, i) => ({
        weight: byName.get(`value.${i}.weight`)!,
        bias: byName.get(`value.${i}.bias`)!,
      }))
      model.value = { spec: heads.value, head: { detached: heads.value.detached, layers } }
    }
    if (heads.scores) {
      const { names, read, affine } = heads.scores
      model.scores = {
        names,
        read,
        affine: affine ?? names.map(() => ({ mean: 0, scale: 1 })),
        weight_HE: byName.get('score.weight')!,
      }
    }
    if (isResume && spec.trains === 'all') loadMoments(model, path, made)
    return model
  } catch (error) {
    for (const tensor of made) tensor.free()
    throw error
  }
}

/** Frees all its tensors but those of a base it shares. */
export function freeModel(model: LanguageModel): void {
  const own = model.base ? model.heads : [...model.body, ...model.heads]
  model.arithmetics.forget(own.map(({ tensor }) => tensor))
  for (const { tensor, moments } of own) {
    tensor.grad = null
    tensor.free()
    moments?.first.free()
    moments?.second.free()
  }
  model.llama.inverseFrequencies.free()
}

type ValueSpec = NonNullable<HeadSpec['value']>
type ScoreSpec = NonNullable<HeadSpec['scores']>
type Heads = { value?: ValueSpec; scores?: ScoreSpec; fresh: HeadSpec; file: boolean }

/** Those of the folder, else those of the spec; the two may not contradict each other. */
function chooseHeads(folder: ModelFolder, sidecar: Sidecar | undefined, asked: HeadSpec | undefined): Heads {
  const heads: Heads = { fresh: {}, file: sidecar?.value !== undefined }
  if (sidecar?.value) {
    if (asked?.value && asked.value.hidden.join() !== sidecar.value.hidden.join())
      throw new EngineError(
        `${folder.path} holds a value head with hidden sizes [${sidecar.value.hidden.join(', ')}], asked for [${asked.value.hidden.join(', ')}]`,
      )
    heads.value = { ...sidecar.value, ...(asked?.value && { detached: asked.value.detached }) }
  } else if (asked?.value) heads.value = heads.fresh.value = asked.value
  if (folder.tensors.has('score.weight')) {
    // A folder of others says nothing of how to read it: transformers reads the last token.
    const own: ScoreSpec = sidecar?.scores ?? { names: folder.config.labels ?? ['score'], read: 'last' }
    if (asked?.scores && (asked.scores.names.join() !== own.names.join() || asked.scores.read !== own.read))
      throw new EngineError(
        `${folder.path} holds score heads ${own.names.join(', ')} read by ${own.read}, asked for ${asked.scores.names.join(', ')} read by ${asked.scores.read}`,
      )
    heads.scores = { ...own, ...(asked?.scores?.affine && { affine: asked.scores.affine }) }
  } else if (asked?.scores) heads.scores = heads.fresh.scores = asked.scores
  return heads
}

function valuesIn(tensors: Map<string, StoredTensor>, file: string): (key: string) => Values | undefined {
  const dtypes = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' } as const
  return (key) => {
    const stored = tensors.get(key)
    if (!stored) return undefined
    const dtype = dtypes[stored.dtype as keyof typeof dtypes]
    if (!dtype) throw new DataError(`expected F32, BF16 or F16, got ${stored.dtype}`, { file, field: key })
    return { shape: stored.shape, values: scope(() => toFloat32(fromBytes(stored.bytes(), stored.shape, dtype))) }
  }
}

function refuseUnknownKeys(folder: ModelFolder, plans: ParameterPlan[]): void {
  const known = new Set(plans.flatMap((plan) => plan.parts.map((part) => part.key)))
  for (const key of folder.tensors.keys()) {
    // Old checkpoints keep the frequencies, or the tied head a second time.
    const isHarmless =
      key === 'score.weight' ||
      key.endsWith('.rotary_emb.inv_freq') ||
      (key === 'lm_head.weight' && folder.config.tieWordEmbeddings)
    if (!known.has(key) && !isHarmless)
      throw new DataError('is not a weight of this config: the model would be half read', {
        file: folder.path,
        field: key,
      })
  }
}

function checkShared(base: LanguageModel, spec: ModelSpec, folder: ModelFolder): void {
  const same =
    JSON.stringify({ ...base.config, architecture: '' }) === JSON.stringify({ ...folder.config, architecture: '' })
  if (base.trains !== 'nothing' || spec.trains !== 'nothing')
    throw new EngineError(
      `sharesBaseOf ${describeModel(base)}: expected two models that train nothing; load it without sharing`,
    )
  if (!same) throw new EngineError(`sharesBaseOf ${describeModel(base)}: ${folder.path} has another config`)
}

function loadMoments(model: LanguageModel, path: string, made: Tensor[]): void {
  const file = join(path, MOMENTS_FILE)
  const { tensors } = readSafetensors(file)
  const read = valuesIn(tensors, file)
  for (const parameter of [...model.body, ...model.heads]) {
    if (!tensors.has(`first.${parameter.parts[0]!.key}`)) continue
    const moment = (prefix: string): Tensor => {
      const tensor = uploadParameter(parameter, (key) => read(`${prefix}.${key}`), model.device)
      made.push(tensor)
      return tensor
    }
    parameter.moments = { first: moment('first'), second: moment('second') }
  }
}

function verify({ folder, files }: Saved): void {
  for (const { path, sha256 } of files) {
    const file = join(folder, path)
    if (!fs.existsSync(file)) throw new DataError('is missing; the checkpoint is damaged', { file })
    const got = sha256File(file)
    if (got !== sha256)
      throw new DataError(`expected sha256 ${sha256}, got ${got}; the checkpoint is damaged`, { file })
  }
}

/** About a gigabyte of activations: 4,096 tokens at most, 256 at least. Depends on the config alone, as micro-batches must. */
function microBatchTokens(c: LlamaConfig): number {
  const floats = c.layers * (8 * c.hiddenSize + 6 * c.headDim * (c.heads + c.keyValueHeads) + 5 * c.intermediateSize)
  return Math.min(4096, Math.max(256, Math.floor(2 ** 28 / floats)))
}

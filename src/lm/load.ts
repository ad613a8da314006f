// From a folder to a model on its device: a Hugging Face folder, or what `save(_, 'resume')` wrote, which is the same
// with moments. Heads come from the folder when it holds them, else fresh from the spec's seed.
import fs from 'node:fs'
import { join } from 'node:path'
import { DataError, EngineError } from '#errors'
import type { AdapterSpec, HeadSpec, ModelSpec, Saved } from '#engine/contract'
import { sha256Files } from '#files'
import { fromBytes, scope, type Tensor, toFloat32 } from '#torch'
import { adapterPlan, attachAdapters, chooseTargets, freshAdapter, pairKeys, scaleOf, type Target } from './adapters.ts'
import type { Arithmetics } from './arithmetic.ts'
import type { ModelConfig } from './config.ts'
import { assembleDecoder, bodyPlan, headKeys } from './decoder.ts'
import { familyOf } from './families/index.ts'
import { type ModelFolder, readFolder } from './folder.ts'
import { freshHeads, scorePlan, valuePlan } from './heads.ts'
import { HEADS_FILE, MOMENTS_FILE, readSidecar, type Sidecar } from './sidecar.ts'
import { describeModel, type LanguageModel } from './model.ts'
import { type BaseDtype, freePacked, packedTensors, packMatrix } from './packed-matrix.ts'
import { type Parameter, type ParameterPlan, upload, uploadParameter, type Values, valuesOf } from './parameters.ts'
import { hashBase } from './peft-folder.ts'
import { frequencies, localFrequencies } from './rope.ts'
import { readSafetensors, type StoredTensor } from './safetensors.ts'

export type LoadOptions = {
  id: number
  device: string
  arithmetics: Arithmetics
  base: LanguageModel | undefined
  baseDtype?: BaseDtype
  recomputes?: boolean
}

/** Files of a checkpoint are not verified: `loadVerified` does. */
export function loadModel(spec: ModelSpec, o: LoadOptions): LanguageModel {
  const isResume = 'resume' in spec.from
  const path = 'resume' in spec.from ? spec.from.resume.folder : spec.from.weights
  const folder = withPrefix(readFolder(path))
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
    const place = (plan: ParameterPlan, read: Read, isTrained: boolean): Parameter => {
      const tensor = uploadParameter(plan, read, o.device)
      made.push(tensor)
      tensor.requiresGrad = isTrained
      return { ...plan, tensor }
    }
    const { config } = folder
    const hasHead =
      config.architecture === familyOf(config).causal || headKeys(config).some((key) => folder.tensors.has(key))
    const plans = bodyPlan(config, { hasHead })
    refuseUnknownKeys(folder, plans)
    if (o.base) checkShared(o.base, spec, folder)
    const chosen = chooseAdapter(folder, spec)
    const baseDtype = chooseBaseDtype(spec, { ...o, hasAdapter: chosen !== undefined })
    const { layers, isTransposed = false } = familyOf(config).design
    const placeBase = (plan: ParameterPlan): Parameter => {
      const isMatrix = plan.isDecayed && plan.name.startsWith(`${layers}.`)
      if (baseDtype === 'float32' || !isMatrix) return place(plan, stored, spec.trains === 'all')
      const shape: [number, number] = [plan.shape[0]!, plan.shape[1]!]
      const packed = packMatrix(valuesOf(plan, stored), shape, { dtype: baseDtype, device: o.device, isTransposed })
      made.push(...packedTensors(packed))
      return { ...plan, tensor: packed.codes, packed }
    }
    const weights = o.base?.weights ?? plans.map(placeBase)
    const adapter = chosen && {
      config: { spec: chosen.spec, base: originOf(folder) },
      baseHash: verifiedBase(originOf(folder), sidecar?.base),
      parameters: adapterPlan(chosen.targets, chosen.spec.rank).map((plan) =>
        place(plan, chosen.read, typeof spec.trains === 'object'),
      ),
    }
    const headPlans = [
      ...(heads.value ? valuePlan(heads.value, config.hiddenSize) : []),
      ...(heads.scores ? [scorePlan(heads.scores.names.length, config.hiddenSize)] : []),
    ]
    const headParameters = headPlans.map((plan) => place(plan, readHead, spec.trains !== 'nothing'))
    const parameters = [...weights, ...(adapter?.parameters ?? []), ...headParameters]
    const byName = new Map(parameters.map((p) => [p.name, p.tensor]))
    const packedByName = new Map(weights.flatMap((p) => (p.packed ? [[p.name, p.packed] as const] : [])))
    const uploaded = (values: Float32Array): Tensor => {
      const tensor = upload(values, [values.length], o.device)
      made.push(tensor)
      return tensor
    }
    const local = localFrequencies(config)
    const model: LanguageModel = {
      id: o.id,
      engine: 'embedded',
      config,
      device: o.device,
      arithmetics: o.arithmetics,
      trains: spec.trains,
      origin: originOf(folder),
      sideFiles: folder.sideFiles,
      decoder: assembleDecoder(config, (name) => byName.get(name), {
        packed: (name) => packedByName.get(name),
        inverse: uploaded(frequencies(config).inverse_F),
        localInverse: local && uploaded(local),
      }),
      weights,
      body: adapter?.parameters ?? weights,
      ...(adapter && { adapter }),
      heads: headParameters,
      budget: microBatchTokens(config),
      // Unpacked matrices are then alive for one layer at a time: a recorded product remembers its operands.
      recomputes: o.recomputes === true || (baseDtype !== 'float32' && baseDtype !== o.arithmetics.precision),
      baseDtype,
      updates: (isResume && sidecar?.updates) || { body: 0, heads: 0, step: 0 },
      streams: 0,
      passes: 0,
      base: o.base,
      sharers: 0,
      isReleased: false,
    }
    if (chosen)
      attachAdapters(model.decoder, chosen.targets, { scale: scaleOf(chosen.spec), get: (key) => byName.get(key)! })
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
    if (isResume && spec.trains !== 'nothing') loadMoments(model, path, made)
    return model
  } catch (error) {
    for (const tensor of made) tensor.free()
    throw error
  }
}

/** Frees all its tensors but those of a base it shares. */
export function freeModel(model: LanguageModel): void {
  const own = [...(model.base ? [] : model.weights), ...(model.adapter?.parameters ?? []), ...model.heads]
  model.arithmetics.forget(own.map(({ tensor }) => tensor))
  for (const { tensor, packed, moments } of own) {
    if (packed) {
      freePacked(packed)
      continue
    }
    tensor.grad = null
    tensor.free()
    moments?.first.free()
    moments?.second.free()
  }
  model.decoder.inverse.free()
  model.decoder.localInverse?.free()
}

type Read = (key: string) => Values | undefined

/** Only what stands under an adapter is packed; whoever shares a base takes it as it is. */
function chooseBaseDtype(
  { trains }: ModelSpec,
  o: { baseDtype?: BaseDtype; base: LanguageModel | undefined; hasAdapter: boolean },
): BaseDtype {
  const { baseDtype = 'float32', base, hasAdapter } = o
  if (baseDtype !== 'float32' && trains === 'all')
    throw new EngineError(`a base in ${baseDtype} is frozen: expected adapters that train, not all weights`)
  const wanted = hasAdapter ? baseDtype : 'float32'
  if (base && hasAdapter && base.baseDtype !== wanted)
    throw new EngineError(
      `sharesBaseOf ${describeModel(base)}: its base is stored in ${base.baseDtype}, asked for ${wanted}; load the model with an adapter first`,
    )
  return base?.baseDtype ?? wanted
}

/** The adapter of the folder, else a fresh one where the spec asks for it. */
function chooseAdapter(
  folder: ModelFolder,
  { trains, seed = 0 }: ModelSpec,
): { spec: AdapterSpec; targets: Target[]; read: Read } | undefined {
  const asked = typeof trains === 'object' ? trains : undefined
  if (!folder.adapter) {
    if (!asked) return undefined
    const targets = chooseTargets(folder.config, asked)
    const fresh = freshAdapter(targets, asked.rank, seed)
    return { spec: asked, targets, read: (key) => fresh.get(key) }
  }
  const { spec, tensors } = folder.adapter
  if (trains === 'all')
    throw new EngineError(`${folder.path} is an adapter: train its adapter, or merge it first (hone merge)`)
  const targets = chooseTargets(folder.config, spec)
  if (asked && !isSameAdapter(folder, asked, spec))
    throw new EngineError(
      `${folder.path} holds an adapter ${JSON.stringify(spec)}, asked for ${JSON.stringify(asked)}: leave it out to go on with the one it holds`,
    )
  const known = new Set(targets.flatMap((target) => Object.values(pairKeys(target))))
  // PEFT writes the embedding itself along with an adapter of it.
  for (const key of tensors.keys())
    if (!known.has(key) && !key.endsWith('.base_layer.weight'))
      throw new DataError('is not a weight of this adapter: it would be half read', { file: folder.path, field: key })
  return { spec, targets, read: valuesIn(tensors, folder.path) }
}

function isSameAdapter(folder: ModelFolder, one: AdapterSpec, other: AdapterSpec): boolean {
  const facts = (spec: AdapterSpec): string =>
    JSON.stringify([spec.rank, scaleOf(spec), chooseTargets(folder.config, spec).map(({ module }) => module)])
  return facts(one) === facts(other)
}

function originOf(folder: ModelFolder): string {
  return fs.realpathSync(folder.adapter?.base ?? folder.path)
}

/** The hash of an adapter's base: the one that it was trained on, where its folder says which. */
function verifiedBase(base: string, expected: string | undefined): string {
  const got = hashBase(base)
  if (expected !== undefined && got !== expected)
    throw new DataError(`expected the base that the adapter was trained on, sha256 ${expected}, got ${got}`, {
      file: base,
    })
  return got
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
    const own: ScoreSpec = sidecar?.scores ?? { names: labelsOf(folder), read: 'last' }
    if (asked?.scores && (asked.scores.names.join() !== own.names.join() || asked.scores.read !== own.read))
      throw new EngineError(
        `${folder.path} holds score heads ${own.names.join(', ')} read by ${own.read}, asked for ${asked.scores.names.join(', ')} read by ${asked.scores.read}`,
      )
    heads.scores = { ...own, ...(asked?.scores?.affine && { affine: asked.scores.affine }) }
  } else if (asked?.scores) heads.scores = heads.fresh.scores = asked.scores
  return heads
}

/** An adapter's config has no labels: then there are as many as rows. */
function labelsOf({ config, tensors }: ModelFolder): string[] {
  const rows = tensors.get('score.weight')!.shape[0]!
  return config.labels ?? Array.from({ length: rows }, (_, i) => (rows === 1 ? 'score' : `LABEL_${i}`))
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function valuesIn(tensors: Map<string, StoredTensor>, file: string): (key: string) => Values | undefined {
  const dtypes = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' } as const
  return (key) => {
    const stored = tensors.get(key)
    if (!stored) return undefined
    const dtype = dtypes[stored.dtype as keyof typeof dtypes]
    if (!dtype) throw new DataError(`expected F32, BF16 or F16, got ${stored.dtype}`, { file, field: key })
    if (dtype === 'float32' && IS_LITTLE_ENDIAN)
      return { shape: stored.shape, values: new Float32Array(stored.bytes().buffer) }
    return { shape: stored.shape, values: scope(() => toFloat32(fromBytes(stored.bytes(), stored.shape, dtype))) }
  }
}

/** Models saved without their head, GPT-2's own among them, leave the prefix of the body out of their keys. */
function withPrefix(folder: ModelFolder): ModelFolder {
  const { embedding } = familyOf(folder.config).design
  const prefix = embedding.slice(0, embedding.indexOf('.') + 1)
  if (folder.tensors.has(`${embedding}.weight`) || !folder.tensors.has(`${embedding.slice(prefix.length)}.weight`))
    return folder
  // A score head never had it: it may be that of an adapter over such a base.
  const named = (key: string): string => (key === 'score.weight' ? key : `${prefix}${key}`)
  const tensors = new Map([...folder.tensors].map(([key, tensor]) => [named(key), tensor]))
  return { ...folder, tensors }
}

function refuseUnknownKeys(folder: ModelFolder, plans: ParameterPlan[]): void {
  const known = new Set(plans.flatMap((plan) => plan.parts.map((part) => part.key)))
  for (const key of folder.tensors.keys()) {
    const isTiedHead = folder.config.tieWordEmbeddings && key === `${familyOf(folder.config).design.head}.weight`
    if (!known.has(key) && key !== 'score.weight' && !isTiedHead && !LEFTOVERS.test(key))
      throw new DataError('is not a weight of this config: the model would be half read', {
        file: folder.path,
        field: key,
      })
  }
}

/** Old checkpoints keep the frequencies and the causal mask. */
const LEFTOVERS = /\.(rotary_emb\.inv_freq|attn\.masked_bias|attn\.bias|attention\.masked_bias|attention\.bias)$/

function checkShared(base: LanguageModel, spec: ModelSpec, folder: ModelFolder): void {
  const isSame =
    JSON.stringify({ ...base.config, architecture: '' }) === JSON.stringify({ ...folder.config, architecture: '' })
  if (base.trains === 'all' || spec.trains === 'all')
    throw new EngineError(
      `sharesBaseOf ${describeModel(base)}: expected models that train adapters or nothing; load it without sharing`,
    )
  const origin = originOf(folder)
  if (origin !== base.origin && hashBase(origin) !== hashBase(base.origin))
    throw new EngineError(
      `sharesBaseOf ${describeModel(base)}: ${folder.path} stands on other weights, ${origin} instead of ${base.origin}`,
    )
  if (!isSame) throw new EngineError(`sharesBaseOf ${describeModel(base)}: ${folder.path} has another config`)
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

/** What `save(_, 'resume')` wrote, verified while it is read: nothing of a damaged checkpoint is handed out. */
export async function loadVerified(spec: ModelSpec, saved: Saved, o: LoadOptions): Promise<LanguageModel> {
  const verified = verifySaved(saved)
  // Awaited below, whatever happens meanwhile.
  verified.catch(() => undefined)
  let model: LanguageModel
  try {
    model = loadModel(spec, o)
  } catch (error) {
    // That a file is damaged says more than what was made of it.
    await verified
    throw error
  }
  try {
    await verified
  } catch (error) {
    freeModel(model)
    throw error
  }
  return model
}

/** Throws where a file of a checkpoint is missing or is not what was saved. */
async function verifySaved({ folder, files }: Saved): Promise<void> {
  for (const { path } of files)
    if (!fs.existsSync(join(folder, path)))
      throw new DataError('is missing; the checkpoint is damaged', { file: join(folder, path) })
  const hashes = await sha256Files(files.map(({ path }) => join(folder, path)))
  files.forEach(({ path, sha256 }, i) => {
    if (hashes[i] !== sha256)
      throw new DataError(`expected sha256 ${sha256}, got ${hashes[i]}; the checkpoint is damaged`, {
        file: join(folder, path),
      })
  })
}

/** About a gigabyte of activations: 4,096 tokens at most, 256 at least. Depends on the config alone, as micro-batches must. */
function microBatchTokens(c: ModelConfig): number {
  const cappedLogits = c.logitCap === undefined ? 0 : 4 * c.vocabSize
  const floats =
    c.layers * (8 * c.hiddenSize + 6 * c.headDim * (c.heads + c.keyValueHeads) + 5 * c.intermediateSize) + cappedLogits
  return Math.min(4096, Math.max(256, Math.floor(2 ** 28 / floats)))
}

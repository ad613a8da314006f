// config.json of the families that hone reads (families/), as transformers 4 and 5 write it. Every field is either read,
// known to leave the mathematics alone, allowed with one value only, or refused by name: a config half understood gives a
// model that is quietly wrong. Left out: quantised weights.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DataError } from '#errors'
import { type Activation, COMMON, Fields, HARMLESS, Ids, ONLY } from './config-fields.ts'
import type { Family, Refuse } from './families/family.ts'
import { FAMILIES, familyOf } from './families/index.ts'
import { isAdapterFolder, readAdapterConfig } from './peft-folder.ts'
import { readPartialRotary, readScaling, readTheta, type RopeScaling, scalingJson } from './rope-config.ts'

export type { RopeScaling } from './rope-config.ts'

/** A model as its family's file and config.json say it. What is optional is absent where it is as in Llama. */
export type ModelConfig = {
  /** transformers' class: the family, and whether it writes or scores. */
  architecture: string
  vocabSize: number
  hiddenSize: number
  intermediateSize: number
  layers: number
  heads: number
  keyValueHeads: number
  headDim: number
  /** Of every norm, LayerNorm too. */
  rmsNormEps: number
  ropeTheta: number
  /** Absent: positions as they are. */
  ropeScaling?: RopeScaling
  tieWordEmbeddings: boolean
  maxPositionEmbeddings: number
  bosTokenId?: number
  /** Every token that ends a completion, of config.json and generation_config.json. */
  eosTokenIds: number[]
  padTokenId?: number
  /** Of the file's weights. */
  dtype: 'float32' | 'bfloat16' | 'float16'
  /** Names of the reward heads, row by row of score.weight; only for sequence classification. */
  labels?: string[]
  /** Absent: silu. */
  activation?: Activation
  biases?: { qkv: boolean; output: boolean; mlp: boolean }
  /** Layers marked attend to the last `size` tokens alone, their own included. */
  window?: { size: number; layers: boolean[] }
  /** Attention scores are divided by its root; absent: by that of the head's width. */
  queryScalar?: number
  /** Scores of layer i are divided by i + 1 as well. */
  isScaledByLayer?: boolean
  /** tanh caps: cap * tanh(x / cap). */
  attentionCap?: number
  logitCap?: number
  /** Share of a head that turns. */
  partialRotaryFactor?: number
  /** Of layers with a window; absent: as the others. */
  localRopeTheta?: number
  /** Attention and MLP both read the block's input. */
  isParallel?: boolean
}

/** Reads config.json and the token ids of generation_config.json in a Hugging Face folder, an adapter's from its base. Not there, not understood or contradictory: a DataError naming file and field. */
export function readConfig(folder: string): ModelConfig {
  if (isAdapterFolder(folder)) return readAdaptedConfig(folder)
  const file = join(folder, 'config.json')
  const config = parseConfig(readJson(file), file)
  const generationFile = join(folder, 'generation_config.json')
  if (!fs.existsSync(generationFile)) return config
  const generation = GenerationIds.safeParse(readJson(generationFile))
  if (!generation.success) throw firstIssue(generation.error, generationFile)
  const ids = checkedIds(generation.data.eos_token_id, config.vocabSize, generationFile)
  return { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...ids])] }
}

/** The parsed JSON of a config.json; `file` is named in errors. */
export function parseConfig(json: unknown, file: string): ModelConfig {
  const { family, fields: c, refuse } = readFields(json, file)
  if (c.architectures && c.architectures.length !== 1) throw refuse('architectures', 'expected exactly one')
  const architecture = c.architectures?.[0] ?? family.causal
  if (architecture !== family.causal && architecture !== family.classifier)
    throw refuse('architectures.0', `expected ${family.causal} or ${family.classifier}, got ${architecture}`)
  if (c.hidden_size % c.num_attention_heads !== 0 && !c.head_dim)
    throw refuse(
      'head_dim',
      `expected hidden_size ${c.hidden_size} to divide by ${c.num_attention_heads} heads, or head_dim`,
    )
  const headDim = c.head_dim ?? c.hidden_size / c.num_attention_heads
  if (headDim % 2 !== 0) throw refuse('head_dim', `expected an even number, got ${headDim}`)
  const keyValueHeads = c.num_key_value_heads ?? c.num_attention_heads
  if (c.num_attention_heads % keyValueHeads !== 0)
    throw refuse('num_key_value_heads', `expected a divisor of ${c.num_attention_heads}, got ${keyValueHeads}`)
  const intermediateSize = c.intermediate_size ?? (family.design.isGated ? undefined : 4 * c.hidden_size)
  if (intermediateSize === undefined) throw refuse('intermediate_size', 'expected a number, got nothing')
  if (family.design.positions !== undefined && (c.rope_scaling ?? c.rope_parameters))
    throw refuse(
      c.rope_scaling ? 'rope_scaling' : 'rope_parameters',
      `expected none: the positions of ${family.modelType} are learned`,
    )
  const ropeScaling = readScaling(c, { width: headDim, family, refuse })
  const partialRotaryFactor = readPartialRotary(c, { family, headDim, refuse })
  const bos = checkedIds(c.bos_token_id, c.vocab_size, file)[0]
  // transformers writes -1 for "none" in old checkpoints.
  const pad = c.pad_token_id === -1 ? undefined : checkedIds(c.pad_token_id, c.vocab_size, file)[0]
  const activation = c.hidden_act === 'swish' ? 'silu' : c.hidden_act
  return {
    architecture,
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    intermediateSize,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    keyValueHeads,
    headDim,
    rmsNormEps: c.rms_norm_eps,
    ropeTheta: readTheta(c, family.defaults.rope_theta ?? 10_000, refuse),
    ...(ropeScaling && { ropeScaling }),
    ...(partialRotaryFactor !== undefined && { partialRotaryFactor }),
    tieWordEmbeddings: c.tie_word_embeddings,
    maxPositionEmbeddings: c.max_position_embeddings,
    ...(bos !== undefined && { bosTokenId: bos }),
    eosTokenIds: checkedIds(c.eos_token_id, c.vocab_size, file),
    ...(pad !== undefined && { padTokenId: pad }),
    dtype: c.dtype ?? c.torch_dtype ?? 'float32',
    ...(architecture === family.classifier && { labels: readLabels(c, refuse) }),
    ...(activation !== 'silu' && { activation }),
    ...family.read(c, refuse),
  }
}

/** The config.json of a model, in the fields that transformers 4 and 5, vLLM and llama.cpp all read. */
export function configJson(config: ModelConfig): Record<string, unknown> {
  const { labels } = config
  const family = familyOf(config)
  const hasRope = family.design.positions === undefined
  const common: Record<string, unknown> = {
    architectures: [config.architecture],
    model_type: family.modelType,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    hidden_act: config.activation ?? 'silu',
    rms_norm_eps: config.rmsNormEps,
    ...(hasRope && { rope_theta: config.ropeTheta, rope_scaling: scalingJson(config.ropeScaling) }),
    ...(family.reads.includes('partial_rotary_factor') && {
      partial_rotary_factor: config.partialRotaryFactor ?? 1,
    }),
    tie_word_embeddings: config.tieWordEmbeddings,
    max_position_embeddings: config.maxPositionEmbeddings,
    bos_token_id: config.bosTokenId ?? null,
    eos_token_id: idsJson(config.eosTokenIds),
    pad_token_id: config.padTokenId ?? null,
    torch_dtype: config.dtype,
    ...(labels && {
      num_labels: labels.length,
      id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
      label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    }),
    ...family.write(config),
  }
  const ownName = new Map(Object.entries(family.aliases ?? {}).map(([own, name]) => [name as string, own]))
  return Object.fromEntries(Object.entries(common).map(([name, value]) => [ownName.get(name) ?? name, value]))
}

/** `configJson` as a file. transformers refuses a whole number where it wants a float, and JavaScript writes 3 for 3.0. */
export function configText(config: ModelConfig): string {
  const text = JSON.stringify(configJson(config), null, 2)
  return `${text.replace(/^( *"(?:\w*softcapping|\w*factor|rope_\w*(?:theta|freq))": \d+)(,?)$/gm, '$1.0$2')}\n`
}

/** The generation_config.json of a model: its token ids, and no sampling setting of ours. */
export function generationConfigJson(config: ModelConfig): Record<string, unknown> {
  return {
    ...(config.bosTokenId !== undefined && { bos_token_id: config.bosTokenId }),
    eos_token_id: idsJson(config.eosTokenIds),
    ...(config.padTokenId !== undefined && { pad_token_id: config.padTokenId }),
  }
}

/** A JSON file of a model folder; missing or no JSON is a DataError. */
export function readJson(file: string): unknown {
  let text: string
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch (cause) {
    throw new DataError('cannot be read; expected a Hugging Face model folder', { file }, { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DataError(`expected JSON: ${(cause as Error).message}`, { file }, { cause })
  }
}

/** A base with the head that its adapter brings. */
function readAdaptedConfig(folder: string): ModelConfig {
  const { base, isClassifier } = readAdapterConfig(folder)
  const config = readConfig(base)
  return isClassifier ? { ...config, architecture: familyOf(config).classifier } : config
}

const GenerationIds = z.object({ eos_token_id: Ids })

/** The fields under the names that all families share, defaults filled in, nulls taken out, what is not understood refused. */
function readFields(json: unknown, file: string): { family: Family; fields: Fields; refuse: Refuse } {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new DataError(`expected an object, got ${JSON.stringify(json)}`, { file })
  const type = 'model_type' in json ? json.model_type : undefined
  const family = FAMILIES.find(({ modelType }) => modelType === type)
  if (!family)
    throw new DataError(
      `expected one of ${FAMILIES.map(({ modelType }) => modelType).join(', ')}, got ${JSON.stringify(type)}`,
      { file, field: 'model_type' },
    )
  const own = new Map<string, string>()
  const refuse: Refuse = (field, message) => new DataError(message, { file, field: own.get(field) ?? field })
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(family.normalise?.(json as Record<string, unknown>, refuse) ?? json)) {
    const common = family.aliases?.[name]
    if (common) own.set(common, name)
    const earlier = given[common ?? name] ?? value
    if (value !== null && JSON.stringify(earlier) !== JSON.stringify(value))
      throw refuse(name, `expected the same under both of its names, got ${JSON.stringify([earlier, value])}`)
    given[common ?? name] = earlier
  }
  refuseUnknown(given, family, refuse)
  const { rope_theta: _, partial_rotary_factor: __, ...defaults } = family.defaults
  const parsed = Fields.safeParse(withoutNulls({ ...defaults, ...given }))
  if (!parsed.success) throw firstIssue(parsed.error, file, own)
  return { family, fields: parsed.data, refuse }
}

function refuseUnknown(given: Record<string, unknown>, family: Family, refuse: Refuse): void {
  const read = new Set<string>(family.reads)
  const only = { ...ONLY, ...family.only }
  for (const [field, value] of Object.entries(given)) {
    const isUnset = value === null || (typeof value === 'object' && Object.keys(value).length === 0)
    const isKnown = COMMON.has(field) || read.has(field) || HARMLESS.has(field) || family.harmless?.includes(field)
    if (isKnown || isUnset) continue
    if (!Object.hasOwn(only, field))
      throw refuse(
        field,
        `is not understood and could change the model; expected a plain ${family.modelType} config without it`,
      )
    if (value !== only[field])
      throw refuse(
        field,
        `expected ${JSON.stringify(only[field])}, the only value supported, got ${JSON.stringify(value)}`,
      )
  }
}

function withoutNulls(json: Record<string, unknown>): Record<string, unknown> {
  const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  return Object.fromEntries(
    Object.entries(json)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, isPlain(value) ? withoutNulls(value) : value])
      // transformers writes empty objects for what it does not have.
      .filter(([, value]) => !(isPlain(value) && Object.keys(value).length === 0)),
  )
}

function readLabels(c: Fields, refuse: Refuse): string[] {
  const named = Object.entries(c.id2label ?? {})
  // transformers' own default is two labels, and leaves the field out then.
  const count = c.num_labels ?? (named.length > 0 ? named.length : 2)
  if (named.length > 0 && (named.length !== count || named.some(([id]) => !(Number(id) >= 0 && Number(id) < count))))
    throw refuse('id2label', `expected names for labels 0 to ${count - 1}, got ${named.map(([id]) => id).join(', ')}`)
  return Array.from({ length: count }, (_, i) => c.id2label?.[i] ?? `LABEL_${i}`)
}

function checkedIds(ids: number | number[] | null | undefined, vocabSize: number, file: string): number[] {
  const list = typeof ids === 'number' ? [ids] : (ids ?? [])
  for (const id of list)
    if (id < 0 || id >= vocabSize)
      throw new DataError(`expected token ids from 0 to ${vocabSize - 1}, got ${id}`, { file, field: 'token ids' })
  return list
}

function idsJson(ids: number[]): number | number[] | null {
  return ids.length > 1 ? ids : (ids[0] ?? null)
}

function firstIssue(error: z.ZodError, file: string, own?: Map<string, string>): DataError {
  const issue = error.issues[0]
  const [first, ...rest] = (issue?.path ?? []).map(String)
  const field = first === undefined ? undefined : [own?.get(first) ?? first, ...rest].join('.')
  return new DataError(issue?.message ?? 'is not understood', field ? { file, field } : { file }, { cause: error })
}

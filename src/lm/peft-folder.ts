// Adapter folders in PEFT's layout, read as they come and written so that peft loads them: adapter_config.json and
// adapter_model.safetensors over a base model that lies elsewhere. Left out: every variant of LoRA but rank-stabilised.
import fs from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import type { AdapterSpec } from '#engine/contract'
import { DataError } from '#errors'
import { canonicalJson, sha256, sha256File } from '#files'
import { ALL_LINEAR } from './adapters.ts'

export const ADAPTER_CONFIG = 'adapter_config.json'
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors'

export type AdapterConfig = {
  spec: AdapterSpec
  /** Folder of the base model. */
  base: string
  isClassifier: boolean
}

export function isAdapterFolder(folder: string): boolean {
  return fs.existsSync(join(folder, ADAPTER_CONFIG)) && !fs.existsSync(join(folder, 'config.json'))
}

/** The folder whose weights a model stands on: an adapter's base, else the folder itself. */
export function baseFolderOf(folder: string): string {
  return fs.realpathSync(isAdapterFolder(folder) ? readAdapterConfig(folder).base : folder)
}

/** Errors: DataError naming the field that is not understood. */
export function readAdapterConfig(folder: string): AdapterConfig {
  const file = join(folder, ADAPTER_CONFIG)
  const refuse = (field: string, message: string) => new DataError(message, { file, field })
  let json: unknown
  try {
    json = JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new DataError(`expected JSON: ${(cause as Error).message}`, { file }, { cause })
  }
  const parsed = Fields.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw refuse(issue?.path.join('.') ?? '', issue?.message ?? 'is not understood')
  }
  const c = parsed.data
  for (const [field, value] of Object.entries(json as object)) {
    const isUnset =
      value === null || value === false || (typeof value === 'object' && Object.keys(value as object).length === 0)
    if (Object.hasOwn(Fields.shape, field) || HARMLESS.has(field) || isUnset) continue
    throw refuse(field, `is not understood and could change the adapter; expected plain LoRA without it`)
  }
  const targets = typeof c.target_modules === 'string' ? [c.target_modules] : c.target_modules
  if (typeof c.target_modules === 'string' && c.target_modules !== ALL_LINEAR)
    throw refuse('target_modules', `expected a list of names or ${ALL_LINEAR}, got a pattern`)
  const saved = (c.modules_to_save ?? []).filter((name) => name !== 'score' && name !== 'classifier')
  if (saved.length > 0) throw refuse('modules_to_save', `expected none but score, got ${saved.join(', ')}`)
  return {
    spec: { rank: c.r, alpha: c.lora_alpha, targets, ...(c.use_rslora && { isRankStabilised: true }) },
    base: findBase(c.base_model_name_or_path, folder, refuse),
    isClassifier: c.task_type === 'SEQ_CLS',
  }
}

export function adapterConfigText({
  spec,
  base,
  isClassifier,
  isTransposed,
}: AdapterConfig & { isTransposed: boolean }): string {
  const config = {
    peft_type: 'LORA',
    task_type: isClassifier ? 'SEQ_CLS' : 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: spec.rank,
    lora_alpha: spec.alpha,
    lora_dropout: 0,
    use_rslora: spec.isRankStabilised ?? false,
    target_modules: spec.targets,
    modules_to_save: isClassifier ? ['score'] : null,
    bias: 'none',
    fan_in_fan_out: isTransposed,
    inference_mode: true,
  }
  return `${JSON.stringify(config, null, 2).replace('"lora_dropout": 0', '"lora_dropout": 0.0')}\n`
}

const hashes = new Map<string, string>()

/** Names the weights of a base wherever they lie: SHA-256 over its config and weight files. Files are read again only when they changed: the models of a run share one base. */
export function hashBase(folder: string): string {
  const names = fs.readdirSync(folder).filter((name) => name === 'config.json' || name.endsWith('.safetensors'))
  return sha256(canonicalJson(names.sort().map((name) => [name, hashUnchanged(join(folder, name))])))
}

function hashUnchanged(file: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = fs.statSync(file, { bigint: true })
  const state = [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  const known = hashes.get(state)
  if (known !== undefined) return known
  const hash = sha256File(file)
  hashes.set(state, hash)
  return hash
}

const Fields = z.object({
  peft_type: z.literal('LORA'),
  task_type: z.enum(['CAUSAL_LM', 'SEQ_CLS']).nullish(),
  base_model_name_or_path: z.string().min(1),
  r: z.number().int().min(1),
  lora_alpha: z.number().positive(),
  use_rslora: z.boolean().default(false),
  target_modules: z.union([z.string(), z.array(z.string()).min(1)]),
  modules_to_save: z.array(z.string()).nullish(),
  bias: z.literal('none').default('none'),
  // Others (PiSSA, OLoRA, LoftQ, CorDA, LoRA-GA) leave their adapter over a base that they changed.
  init_lora_weights: z.union([z.boolean(), z.enum(['gaussian', 'eva', 'orthogonal'])]).nullish(),
})

/** What only concerns how an adapter was begun, trained or spread; and storage order, which the family says. */
const HARMLESS = new Set(
  `auto_mapping revision inference_mode lora_dropout fan_in_fan_out peft_version megatron_core
  runtime_config qalora_group_size eva_config corda_config loftq_config lora_ga_config`.split(/\s+/),
)

/** As a path, absolute or beside the adapter. */
function findBase(name: string, folder: string, refuse: (field: string, message: string) => Error): string {
  const places = isAbsolute(name) ? [name] : [resolve(folder, name), resolve(name)]
  const found = places.find((place) => fs.existsSync(join(place, 'config.json')))
  if (!found)
    throw refuse(
      'base_model_name_or_path',
      `expected the folder of the base model, but ${name} is none: bring it there`,
    )
  return found
}

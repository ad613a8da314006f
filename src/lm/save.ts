// From a model to a folder that transformers loads: float32 weights under Hugging Face's keys, config, tokenizer files,
// and beside them what is hone's own. `resume` adds moments and counters; both are whole or absent.
import type { Saved } from '#engine/contract'
import { EngineError } from '#errors'
import { type Content, writeNewFiles, writeWholeFolder } from '#files'
import { narrow, scope, type Tensor, toFloat32 } from '#torch'
import { ALL_LINEAR, linearNames } from './adapters.ts'
import type { ModelConfig } from './config.ts'
import { headKeys } from './decoder.ts'
import { familyOf } from './families/index.ts'
import { writeFolder } from './folder.ts'
import { describeModel, type LanguageModel } from './model.ts'
import type { Parameter } from './parameters.ts'
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, adapterConfigText } from './peft-folder.ts'
import { encodeSafetensors, type TensorEntry } from './safetensors.ts'
import { HEADS_FILE, MOMENTS_FILE, type Sidecar, SIDECAR_FILE } from './sidecar.ts'

export function saveModel(model: LanguageModel, what: 'resume' | 'weights', to: string): Saved {
  const { adapter, baseDtype, scores, value } = model
  if (!adapter && baseDtype !== 'float32')
    throw new EngineError(
      `${describeModel(model)}: save, but its base is stored in ${baseDtype}: its weights are those of ${model.origin}`,
    )
  const sidecar: Sidecar = {
    ...(adapter && { base: adapter.baseHash }),
    ...(value && { value: value.spec }),
    ...(scores && { scores: { names: scores.names, read: scores.read, affine: scores.affine } }),
    ...(what === 'resume' && { updates: model.updates }),
  }
  const extraFiles: Record<string, Content> = { ...model.sideFiles }
  if (Object.keys(sidecar).length > 0) extraFiles[SIDECAR_FILE] = `${JSON.stringify(sidecar, null, 2)}\n`
  const valueParameters = model.heads.filter((p) => p.name.startsWith('value.'))
  if (value)
    extraFiles[HEADS_FILE] = encodeSafetensors(
      valueParameters.flatMap((p) => entriesOf(p, p.tensor)),
      {},
    )
  if (what === 'resume') {
    const moments = [...model.body, ...model.heads].flatMap((p) =>
      p.moments ? [...entriesOf(p, p.moments.first, 'first.'), ...entriesOf(p, p.moments.second, 'second.')] : [],
    )
    extraFiles[MOMENTS_FILE] = encodeSafetensors(moments, {})
  }
  if (adapter) return saveAdapter(model, adapter, { extraFiles, to })
  // *ForSequenceClassification has no output layer.
  const body =
    scores && what === 'weights' ? model.body.filter((p) => !headKeys(model.config).includes(p.name)) : model.weights
  const score = model.heads.filter((p) => p.name === 'score.weight')
  const files = writeFolder({
    to,
    config: configOf(model),
    tensors: [...body, ...score].flatMap((p) => entriesOf(p, p.tensor)),
    extraFiles,
  })
  return { folder: to, files }
}

/** Without the base, which is named by its folder and its hash. */
function saveAdapter(
  { heads, scores, decoder }: LanguageModel,
  { config, parameters }: NonNullable<LanguageModel['adapter']>,
  { extraFiles, to }: { extraFiles: Record<string, Content>; to: string },
): Saved {
  const score = heads
    .filter((p) => p.name === 'score.weight')
    .flatMap((p) => entriesOf(p, p.tensor, 'base_model.model.'))
  const tensors = [...parameters.flatMap((p) => entriesOf(p, p.tensor)), ...score]
  const isTransposed = decoder.design.isTransposed ?? false
  const named = config.spec.targets.flatMap((name) => (name === ALL_LINEAR ? linearNames(decoder.config) : [name]))
  const spec = { ...config.spec, targets: [...new Set(named)] }
  const files: Record<string, Content> = {
    ...extraFiles,
    [ADAPTER_CONFIG]: adapterConfigText({ ...config, spec, isClassifier: scores !== undefined, isTransposed }),
    // peft reads the layout as transformers does.
    [ADAPTER_WEIGHTS]: encodeSafetensors(tensors, { format: 'pt' }),
  }
  return { folder: to, files: writeWholeFolder(to, (temporary) => writeNewFiles(temporary, files)) }
}

function configOf({ config, scores }: LanguageModel): ModelConfig {
  const { labels: _, ...rest } = config
  const family = familyOf(config)
  return {
    ...rest,
    dtype: 'float32',
    architecture: scores ? family.classifier : family.causal,
    ...(scores && { labels: scores.names }),
  }
}

/** Each part is read when its turn comes, so that a save takes the memory of one. */
function entriesOf(parameter: Parameter, tensor: Tensor, prefix = ''): TensorEntry[] {
  let row = 0
  return parameter.parts.map(({ key, rows }) => {
    const from = row
    row += rows
    return {
      name: `${prefix}${key}`,
      dtype: 'F32',
      shape: [rows, ...parameter.shape.slice(1)],
      bytes: () => {
        const values = scope(() => toFloat32(narrow(tensor, 0, from, rows)))
        return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      },
    }
  })
}

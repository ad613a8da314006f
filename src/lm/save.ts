// From a model to a folder that transformers loads: float32 weights under Hugging Face's keys, config, tokenizer files,
// and beside them what is hone's own. `resume` adds moments and counters; both are whole or absent.
import type { Saved } from '#engine/contract'
import type { Tensor } from '#torch'
import type { ModelConfig } from './config.ts'
import { headKeys } from './decoder.ts'
import { familyOf } from './families/index.ts'
import { writeFolder } from './folder.ts'
import type { LanguageModel } from './model.ts'
import { type Parameter, readParameter } from './parameters.ts'
import { encodeSafetensors, type TensorEntry } from './safetensors.ts'
import { HEADS_FILE, MOMENTS_FILE, type Sidecar, SIDECAR_FILE } from './sidecar.ts'
import type { Content } from '#files'

export function saveModel(model: LanguageModel, what: 'resume' | 'weights', to: string): Saved {
  const { scores, value } = model
  const sidecar: Sidecar = {
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
  // *ForSequenceClassification has no output layer.
  const body =
    scores && what === 'weights' ? model.body.filter((p) => !headKeys(model.config).includes(p.name)) : model.body
  const score = model.heads.filter((p) => p.name === 'score.weight')
  const files = writeFolder({
    to,
    config: configOf(model),
    tensors: [...body, ...score].flatMap((p) => entriesOf(p, p.tensor)),
    extraFiles,
  })
  return { folder: to, files }
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

function entriesOf(parameter: Parameter, tensor: Tensor, prefix = ''): TensorEntry[] {
  return readParameter(parameter, tensor).map(({ key, shape, values }) => ({
    name: `${prefix}${key}`,
    dtype: 'F32',
    shape,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  }))
}

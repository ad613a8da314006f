// The embedded engine: the contract over causal language models in this process, on one device. Training and frozen
// models live side by side; calls on one model may overlap where that is harmless, and are refused where it is not.
// Left out: shared bases that train.
import { ConfigError, EngineError } from '#errors'
import type { Engine, Model } from '#engine/contract'
import { describe, setThreads } from '#torch'
import { createArithmetics, type Precision } from './arithmetic.ts'
import { freeModel, loadModel, loadVerified } from './load.ts'
import { describeModel, type LanguageModel } from './model.ts'
import type { BaseDtype } from './packed-matrix.ts'
import { clearGradients, updateModel } from './optimizer.ts'
import { embedPass, forwardBackwardPass, forwardPass } from './passes.ts'
import { samplePass } from './sampling.ts'
import { saveModel } from './save.ts'

export type EmbeddedOptions = {
  /** `cpu`, `cuda:0`, ... */
  device?: string
  /** Of libtorch, for the whole process; default all cores, or HONE_THREADS. */
  threads?: number
  /** Of matrix products; weights, optimizer, norms, softmax and losses are float32 either way. Default float32. */
  precision?: Precision
  /** Of the matrices of layers under adapters: frozen in fewer bytes (packed-matrix.ts). Models that train all weights are then refused. Default float32. */
  baseDtype?: BaseDtype
  /** Backward computes each layer once more instead of remembering it: memory of one layer, a third more work. A packed base does so anyway, unless it is bfloat16 like the products. */
  gradientCheckpointing?: boolean
}

/** `auto` is bfloat16 where the machine has units for it (AVX-512 bf16, AMX, a GPU), else float32. */
export function choosePrecision(asked: Precision | 'auto', device: string): Precision {
  if (asked !== 'auto') return asked
  return device !== 'cpu' || describe().features.bfloat16Units ? 'bfloat16' : 'float32'
}

/** Errors: EngineError for models, shapes and numbers; DataError for files. */
export function createEmbeddedEngine({
  device = 'cpu',
  threads,
  precision = 'float32',
  baseDtype = 'float32',
  gradientCheckpointing: recomputes = false,
}: EmbeddedOptions = {}): Engine {
  if (!/^(cpu|cuda:\d+)$/.test(device)) throw new ConfigError(`device: expected cpu or cuda:N, got ${device}`)
  if (threads !== undefined) setThreads(threads)
  const models = new Map<number, LanguageModel>()
  const arithmetics = createArithmetics(precision, device)
  let lastId = 0

  function find(handle: Model): LanguageModel {
    const model = models.get(handle.id)
    if (model !== handle) throw new EngineError(`model ${handle.id} is not one of this engine, or was released`)
    return model
  }

  /** Marks a pass as under way, so that step and release know. */
  async function during<T>(model: LanguageModel, pass: () => Promise<T>): Promise<T> {
    model.passes++
    try {
      return await pass()
    } finally {
      model.passes--
    }
  }

  function refuseWhileBusy(model: LanguageModel, what: string): void {
    if (model.streams > 0) throw new EngineError(`${describeModel(model)}: ${what} while a sample stream is open`)
    if (model.passes > 0) throw new EngineError(`${describeModel(model)}: ${what} while a pass is under way`)
  }

  return {
    async capabilities() {
      return {
        name: 'embedded',
        device,
        outputs: ['logprobs', 'entropies', 'values', 'scores'],
        differentiable: ['logprobs', 'entropies', 'values', 'scores'],
        heads: ['value', 'scores'],
        tuning: ['all', 'adapter'],
        snapshots: false,
        maxTokens: MAX_TOKENS,
      }
    },

    async load(spec) {
      const base = spec.sharesBaseOf && find(spec.sharesBaseOf)
      const root = base?.base ?? base
      const o = { id: ++lastId, device, arithmetics, base: root, baseDtype, recomputes }
      // Held from here on, so that nobody releases it meanwhile.
      if (root) root.sharers++
      let model: LanguageModel
      try {
        model = 'resume' in spec.from ? await loadVerified(spec, spec.from.resume, o) : loadModel(spec, o)
      } catch (error) {
        if (root) root.sharers--
        throw error
      }
      models.set(model.id, model)
      return model
    },

    async forward(handle, groups, want, o) {
      const model = find(handle)
      return during(model, () => forwardPass(model, groups, want, o))
    },

    async forwardBackward(handle, groups, want, loss, o) {
      const model = find(handle)
      if (model.trains === 'nothing')
        throw new EngineError(`${describeModel(model)}: forwardBackward, but it was loaded to train nothing`)
      try {
        return await during(model, () => forwardBackwardPass(model, groups, want, loss, o))
      } catch (error) {
        // Half a sum is worth nothing, and would spoil the next one unseen.
        clearGradients(model)
        throw error
      }
    },

    async step(handle, o) {
      const model = find(handle)
      refuseWhileBusy(model, 'step')
      return updateModel(model, o)
    },

    async discard(handle) {
      clearGradients(find(handle))
    },

    async embed(handle, batch) {
      const model = find(handle)
      return during(model, () => embedPass(model, batch))
    },

    sample(handle, requests, o) {
      const model = find(handle)
      if (!model.decoder.head) throw new EngineError(`${describeModel(model)}: sample, but it has no lm_head.weight`)
      return samplePass(model, requests, o?.signal)
    },

    async setAffine(handle, affine) {
      const model = find(handle)
      if (affine.length !== model.scores?.names.length)
        throw new EngineError(
          `${describeModel(model)}: setAffine for ${affine.length} score heads, but it has ${model.scores?.names.length ?? 0}`,
        )
      for (const { mean, scale } of affine)
        if (!Number.isFinite(mean) || !Number.isFinite(scale) || scale === 0)
          throw new EngineError(`setAffine: expected finite numbers and a scale other than 0, got ${mean} and ${scale}`)
      model.scores.affine = affine
    },

    async save(handle, what, to) {
      return saveModel(find(handle), what, to)
    },

    async release(handle) {
      const model = find(handle)
      refuseWhileBusy(model, 'release')
      if (model.sharers > 0)
        throw new EngineError(`${describeModel(model)}: release while ${model.sharers} others use its base`)
      freeModel(model)
      models.delete(model.id)
      if (model.base) model.base.sharers--
    },
  }
}

/** No sequence may be longer; most models allow less, and say so. */
const MAX_TOKENS = 131_072

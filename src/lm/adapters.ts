// Low-rank adapters (Hu et al., arXiv 2106.09685): beside a frozen matrix W, W + scale B A with B [O,R] and A [R,I] that
// train. scale = alpha / R, or alpha / sqrt(R) rank-stabilised (Kalajdzievski, arXiv 2312.03732). Modules and keys are PEFT's.
// Legend: T rows, I and O input and output width, R rank, V vocabulary, E hidden width.
import type { AdapterSpec } from '#engine/contract'
import { EngineError } from '#errors'
import type { Tensor } from '#torch'
import type { ModelConfig } from './config.ts'
import type { Decoder, Layer } from './decoder.ts'
import { familyOf } from './families/index.ts'
import type { ParameterPlan, Values } from './parameters.ts'
import { normals } from './seeded.ts'

/** Of a stored matrix: a pair for each module whose rows it holds, in their order; none where a module has no adapter. */
export type Adapter = { scale: number; parts: { rows: number; pair?: Pair }[] }
export type Pair = { a_RI: Tensor; b_OR: Tensor }

/** The matrices of a layer that adapters sit on. */
const MATRICES = ['qkv', 'output', 'up', 'down'] as const
type MatrixKey = (typeof MATRICES)[number]

/** A module that an adapter may sit on. */
export type Target = {
  module: string
  place: 'embedding' | 'head' | { layer: number; matrix: MatrixKey; part: number }
  rows: number
  columns: number
}

/** `all-linear`: every matrix of every layer, as PEFT means it: neither embedding nor head. */
export const ALL_LINEAR = 'all-linear'

/** The modules that `spec.targets` names by the end of their paths. Errors: EngineError naming a target that is none. */
export function chooseTargets(config: ModelConfig, { rank, alpha, targets }: AdapterSpec): Target[] {
  if (!Number.isInteger(rank) || rank < 1) throw new EngineError(`adapter: expected a rank of at least 1, got ${rank}`)
  if (!(alpha > 0)) throw new EngineError(`adapter: expected an alpha above 0, got ${alpha}`)
  const all = allTargets(config)
  const named = targets.flatMap((name) => (name === ALL_LINEAR ? linearNames(config) : [name]))
  const isNamed = (module: string, name: string): boolean => module === name || module.endsWith(`.${name}`)
  for (const name of named)
    if (!all.some(({ module }) => isNamed(module, name)))
      throw new EngineError(
        `adapter: no module of ${config.architecture} is called ${name}; expected ${ALL_LINEAR} or some of ${moduleNames(all).join(', ')}`,
      )
  const chosen = all.filter(({ module }) => named.some((name) => isNamed(module, name)))
  if (chosen.length === 0) throw new EngineError('adapter: expected at least one target, got none')
  return chosen
}

/** Last names of the modules that `all-linear` stands for. */
export function linearNames(config: ModelConfig): string[] {
  return moduleNames(allTargets(config).filter(({ place }) => typeof place === 'object'))
}

export function scaleOf({ rank, alpha, isRankStabilised }: AdapterSpec): number {
  return alpha / (isRankStabilised ? Math.sqrt(rank) : rank)
}

/** Keys of a target's pair, as PEFT writes them. */
export function pairKeys({ module, place }: Target): { a: string; b: string } {
  const path = `base_model.model.${module}`
  return place === 'embedding'
    ? { a: `${path}.lora_embedding_A`, b: `${path}.lora_embedding_B` }
    : { a: `${path}.lora_A.weight`, b: `${path}.lora_B.weight` }
}

export function adapterPlan(targets: Target[], rank: number): ParameterPlan[] {
  const plan = (key: string, rows: number, columns: number): ParameterPlan => ({
    name: key,
    shape: [rows, columns],
    parts: [{ key, rows }],
    isDecayed: true,
  })
  return targets.flatMap((target) => {
    const { a, b } = pairKeys(target)
    // An embedding maps its V rows to E: A is [R,V] and B is [E,R].
    const [input, output] = target.place === 'embedding' ? [target.rows, target.columns] : [target.columns, target.rows]
    return [plan(a, rank, input), plan(b, output, rank)]
  })
}

/** B (an embedding's A) is zero, so that a fresh adapter changes nothing; the other has the variance of PEFT's, 1 / (3 I). */
export function freshAdapter(targets: Target[], rank: number, seed: number): Map<string, Values> {
  const made = new Map<string, Values>()
  for (const target of targets) {
    const { a, b } = pairKeys(target)
    const zero = (key: string, shape: number[]): void =>
      void made.set(key, { shape, values: new Float32Array(shape[0]! * shape[1]!) })
    const drawn = (key: string, shape: number[], deviation: number): void =>
      void made.set(key, { shape, values: normals(seed, key, shape[0]! * shape[1]!).map((x) => x * deviation) })
    if (target.place === 'embedding') {
      zero(a, [rank, target.rows])
      drawn(b, [target.columns, rank], 1)
    } else {
      drawn(a, [rank, target.columns], 1 / Math.sqrt(3 * target.columns))
      zero(b, [target.rows, rank])
    }
  }
  return made
}

/** Hangs the pairs beside the matrices of a decoder. */
export function attachAdapters(
  decoder: Decoder,
  targets: Target[],
  o: { scale: number; get: (key: string) => Tensor },
): void {
  for (const target of targets) {
    const { place, rows } = target
    const { a, b } = pairKeys(target)
    const pair: Pair = { a_RI: o.get(a), b_OR: o.get(b) }
    if (place === 'embedding') decoder.embeddingAdapter = { scale: o.scale, pair }
    else if (place === 'head') {
      if (decoder.head) decoder.head = { ...decoder.head, adapter: { scale: o.scale, parts: [{ rows, pair }] } }
    } else {
      const layer: Layer = decoder.layers[place.layer]!
      const matrix = layer[place.matrix]
      matrix.adapter ??= { scale: o.scale, parts: partRows(decoder.config, place.matrix).map((n) => ({ rows: n })) }
      matrix.adapter.parts[place.part]!.pair = pair
    }
  }
}

function allTargets(config: ModelConfig): Target[] {
  const { design } = familyOf(config)
  const E = config.hiddenSize
  const columns = { qkv: E, output: config.heads * config.headDim, up: E, down: config.intermediateSize }
  const modules = { qkv: design.qkv, output: [design.output], up: design.up, down: [design.down] }
  const targets: Target[] = [{ module: design.embedding, place: 'embedding', rows: config.vocabSize, columns: E }]
  for (let layer = 0; layer < config.layers; layer++)
    for (const matrix of MATRICES)
      modules[matrix].forEach((name, part) =>
        targets.push({
          module: `${design.layers}.${layer}.${name}`,
          place: { layer, matrix, part },
          rows: partRows(config, matrix)[part]!,
          columns: columns[matrix],
        }),
      )
  targets.push({ module: design.head, place: 'head', rows: config.vocabSize, columns: E })
  return targets
}

function partRows(config: ModelConfig, matrix: MatrixKey): number[] {
  const { design } = familyOf(config)
  const [q, kv] = [config.heads * config.headDim, config.keyValueHeads * config.headDim]
  const M = config.intermediateSize
  if (matrix === 'qkv') return design.qkv.length === 1 ? [q + 2 * kv] : [q, kv, kv]
  if (matrix === 'up') return design.up.length === 2 ? [M, M] : [design.isGated ? 2 * M : M]
  return [config.hiddenSize]
}

function moduleNames(targets: Target[]): string[] {
  return [...new Set(targets.map(({ module }) => module.slice(module.lastIndexOf('.') + 1)))]
}

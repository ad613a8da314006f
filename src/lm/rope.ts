// Rotary frequencies of a config, rounded to 32 bits where transformers rounds, and the tables that turn a pass's tokens.
// Most kinds turn a token by its position alone; `dynamic` and `longrope` also by the length of the sequence it stands in.
// Legend: T tokens of a pass, F frequencies (half of what turns of a head).
import { cos, fromArray, mulScalar, rotaryTables, scope, sin, type Tensor } from '#torch'
import type { ModelConfig } from './config.ts'
import type { Upload } from './parameters.ts'

/** `scale` multiplies the turned queries and keys. */
export type Frequencies = { inverse_F: Float32Array; scale: number }
export type Tables = { cosines: Tensor; sines: Tensor }

/** Numbers of a head that turn; the first ones. */
export function rotaryWidth({ headDim, partialRotaryFactor = 1 }: ModelConfig): number {
  return Math.trunc(headDim * partialRotaryFactor)
}

/** Most tokens of a sequence. `dynamic` is for reading more than the model was trained with. */
export function mostTokens({ maxPositionEmbeddings, ropeScaling }: ModelConfig): number {
  return ropeScaling?.type === 'dynamic'
    ? Math.floor(maxPositionEmbeddings * ropeScaling.factor)
    : maxPositionEmbeddings
}

function dependsOnLength({ ropeScaling }: ModelConfig): boolean {
  return ropeScaling?.type === 'dynamic' || ropeScaling?.type === 'longrope'
}

/** Tokens after which a sequence turns by other frequencies, all of it: what was cached by then is void. Infinity for most. */
export function switchesAfter({ ropeScaling }: ModelConfig): number {
  return ropeScaling?.type === 'longrope' ? ropeScaling.originalMaxPositionEmbeddings : Infinity
}

/** theta^(-2i/D) for i < D/2, scaled as the config says, in a sequence of `length` tokens. */
export function frequencies(config: ModelConfig, length = 1): Frequencies {
  const { ropeScaling, ropeTheta, maxPositionEmbeddings } = config
  const D = rotaryWidth(config)
  if (!ropeScaling) return { inverse_F: inverse(ropeTheta, D), scale: 1 }
  switch (ropeScaling.type) {
    case 'linear':
      return { inverse_F: inverse(ropeTheta, D).map((f) => f / ropeScaling.factor), scale: 1 }
    case 'dynamic': {
      const { factor } = ropeScaling
      const most = Math.max(length, maxPositionEmbeddings)
      const widening = ((factor * most) / maxPositionEmbeddings - (factor - 1)) ** (D / (D - 2))
      return { inverse_F: inverse(ropeTheta * widening, D), scale: 1 }
    }
    case 'llama3':
      return { inverse_F: stretched(inverse(ropeTheta, D), ropeScaling), scale: 1 }
    case 'yarn':
      return { inverse_F: ramped(ropeTheta, D, ropeScaling), scale: yarnScale(ropeScaling) }
    case 'longrope': {
      const { originalMaxPositionEmbeddings: original, shortFactor, longFactor } = ropeScaling
      const factors = Float32Array.from(length > original ? longFactor : shortFactor)
      const inverse_F = factors.map((f, i) => 1 / Math.fround(f * Math.fround(ropeTheta ** ((2 * i) / D))))
      const factor = ropeScaling.factor ?? maxPositionEmbeddings / original
      const scale = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))
      return { inverse_F, scale: ropeScaling.attentionFactor ?? scale }
    }
    default:
      return ropeScaling satisfies never
  }
}

/** Tables for tokens at positions_T, in sequences of lengths_T (read only where the frequencies depend on them). `inverse` is the uploaded `frequencies(config)`. */
export function turnTables(
  config: ModelConfig,
  o: { inverse: Tensor; positions_T: Int32Array; lengths_T: Int32Array; upload: Upload },
): Tables {
  const { positions_T, lengths_T } = o
  if (!dependsOnLength(config)) {
    const { scale } = frequencies(config)
    return scaled(rotaryTables(o.upload(fromArray(positions_T)), o.inverse), scale)
  }
  const byLength = new Map<number, Frequencies>()
  const F = rotaryWidth(config) / 2
  const angles_TF = new Float32Array(positions_T.length * F)
  let scale = 1
  positions_T.forEach((position, t) => {
    const length = lengths_T[t]!
    let own = byLength.get(length)
    if (!own) byLength.set(length, (own = frequencies(config, length)))
    scale = own.scale
    for (let f = 0; f < F; f++) angles_TF[t * F + f] = position * own.inverse_F[f]!
  })
  return scope(() => {
    const angles = o.upload(fromArray(angles_TF, [positions_T.length, F]))
    return scaled({ cosines: cos(angles), sines: sin(angles) }, scale)
  })
}

/** The frequencies of layers with a window, where they have their own. */
export function localFrequencies(config: ModelConfig): Float32Array | undefined {
  return config.localRopeTheta === undefined ? undefined : inverse(config.localRopeTheta, rotaryWidth(config))
}

function scaled(tables: Tables, scale: number): Tables {
  if (scale === 1) return tables
  return { cosines: mulScalar(tables.cosines, scale), sines: mulScalar(tables.sines, scale) }
}

function inverse(theta: number, D: number): Float32Array {
  return Float32Array.from({ length: D / 2 }, (_, i) => 1 / Math.fround(theta ** ((2 * i) / D)))
}

type Scaling<Type> = Extract<NonNullable<ModelConfig['ropeScaling']>, { type: Type }>

/** Few turns over the original context: slowed by `factor`. Many: as they are. Between: a blend. */
function stretched(plain: Float32Array, o: Scaling<'llama3'>): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = o
  return plain.map((f) => {
    const turns = (originalMaxPositionEmbeddings * f) / (2 * Math.PI)
    const blend = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)))
    return (1 - blend) * (f / factor) + blend * f
  })
}

/** As `stretched`, but the blend is a ramp over the index of the frequency. */
function ramped(theta: number, D: number, o: Scaling<'yarn'>): Float32Array {
  const { factor, originalMaxPositionEmbeddings: original, betaFast = 32, betaSlow = 1, truncate = true } = o
  const indexOf = (turns: number): number => (D * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const [first, last] = [indexOf(betaFast), indexOf(betaSlow)]
  const low = Math.max(truncate ? Math.floor(first) : first, 0)
  const high = Math.min(truncate ? Math.ceil(last) : last, D - 1)
  const span = high === low ? 0.001 : high - low
  return Float32Array.from({ length: D / 2 }, (_, i) => {
    const power = Math.fround(theta ** ((2 * i) / D))
    const ramp = Math.min(1, Math.max(0, (i - low) / span))
    return ramp / (factor * power) + (1 - ramp) / power
  })
}

function yarnScale({ attentionFactor, factor, mscale, mscaleAllDim }: Scaling<'yarn'>): number {
  const of = (m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1)
  if (attentionFactor !== undefined) return attentionFactor
  return mscale && mscaleAllDim ? of(mscale) / of(mscaleAllDim) : of(1)
}

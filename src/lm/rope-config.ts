// How positions turn, as config.json says it: rope_theta and rope_scaling (transformers 4) or rope_parameters (transformers 5).
import type { Fields, Rope } from './config-fields.ts'
import type { Family, Refuse } from './families/family.ts'

/**
 * `linear` divides positions by `factor`. `dynamic` widens the base with the length of a sequence beyond the model's own.
 * `llama3` stretches the long wavelengths (Dubey et al., arXiv 2407.21783); `yarn` does so by a ramp and scales queries and
 * keys (Peng et al., arXiv 2309.00071). `longrope` divides each frequency by a factor of its own, another one in sequences
 * longer than the original context (Ding et al., arXiv 2402.13753).
 */
export type RopeScaling =
  | { type: 'linear' | 'dynamic'; factor: number }
  | {
      type: 'llama3'
      factor: number
      lowFreqFactor: number
      highFreqFactor: number
      originalMaxPositionEmbeddings: number
    }
  | {
      type: 'yarn'
      factor: number
      originalMaxPositionEmbeddings: number
      attentionFactor?: number
      betaFast?: number
      betaSlow?: number
      mscale?: number
      mscaleAllDim?: number
      /** Absent: true. */
      truncate?: boolean
    }
  | {
      type: 'longrope'
      shortFactor: number[]
      longFactor: number[]
      originalMaxPositionEmbeddings: number
      factor?: number
      attentionFactor?: number
    }

export function readTheta(c: Fields, fallback: number, refuse: Refuse): number {
  const stated = [c.rope_theta, c.rope_parameters?.rope_theta, c.rope_scaling?.rope_theta].filter(
    (t) => typeof t === 'number',
  )
  if (new Set(stated).size > 1) throw refuse('rope_theta', `expected one value, got ${stated.join(' and ')}`)
  return stated[0] ?? fallback
}

/** Undefined where a whole head turns. */
export function readPartialRotary(
  c: Fields,
  o: { family: Family; headDim: number; refuse: Refuse },
): number | undefined {
  const inRope = c.rope_parameters?.partial_rotary_factor ?? c.rope_scaling?.partial_rotary_factor
  const share = inRope ?? c.partial_rotary_factor ?? o.family.defaults.partial_rotary_factor ?? 1
  if (share === 1) return undefined
  if (!o.family.reads.includes('partial_rotary_factor'))
    throw o.refuse('rope_parameters.partial_rotary_factor', `expected 1, the only value of its family, got ${share}`)
  const width = Math.trunc(o.headDim * share)
  if (width < 2 || width % 2 !== 0)
    throw o.refuse('partial_rotary_factor', `expected an even share of ${o.headDim}, got ${width}`)
  return share
}

/** transformers 4: rope_scaling, null for none. transformers 5: rope_parameters, type "default" for none. */
export function readScaling(c: Fields, o: { width: number; family: Family; refuse: Refuse }): RopeScaling | undefined {
  const stated = (['rope_parameters', 'rope_scaling'] as const)
    .filter((field) => c[field])
    .map((field) => parseScaling(field, c[field]!, { c, ...o }))
  if (stated.length === 2 && JSON.stringify(stated[0]) !== JSON.stringify(stated[1]))
    throw o.refuse('rope_scaling', 'expected the same as rope_parameters')
  return stated[0]
}

export function scalingJson(scaling: RopeScaling | undefined): unknown {
  if (!scaling) return null
  switch (scaling.type) {
    case 'linear':
    case 'dynamic':
      return { rope_type: scaling.type, factor: scaling.factor }
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
      }
    case 'yarn':
      return {
        rope_type: 'yarn',
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
        ...defined({
          attention_factor: scaling.attentionFactor,
          beta_fast: scaling.betaFast,
          beta_slow: scaling.betaSlow,
          mscale: scaling.mscale,
          mscale_all_dim: scaling.mscaleAllDim,
          truncate: scaling.truncate,
        }),
      }
    case 'longrope':
      // transformers 4 wants exactly these three; the original context stands beside them in the config.
      return {
        type: 'longrope',
        short_factor: scaling.shortFactor,
        long_factor: scaling.longFactor,
        ...defined({ factor: scaling.factor, attention_factor: scaling.attentionFactor }),
      }
    default:
      return scaling satisfies never
  }
}

const SHARED_KEYS = new Set([
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  'original_max_position_embeddings',
])
const OWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  default: [],
  linear: ['factor'],
  dynamic: ['factor'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor'],
  yarn: ['factor', 'attention_factor', 'beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim', 'truncate'],
  longrope: ['factor', 'attention_factor', 'short_factor', 'long_factor'],
}

type Numeric = 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings'

function parseScaling(
  field: string,
  rope: Rope,
  { c, width, family, refuse }: { c: Fields; width: number; family: Family; refuse: Refuse },
): RopeScaling | undefined {
  const type = rope.rope_type ?? rope.type ?? 'default'
  const need = (key: Numeric) => {
    const value = rope[key]
    if (value === undefined) throw refuse(`${field}.${key}`, `expected a number for rope type ${type}, got nothing`)
    return value
  }
  const original = () =>
    c.original_max_position_embeddings ?? rope.original_max_position_embeddings ?? c.max_position_embeddings
  const isLongrope =
    type === 'longrope' || (family.isLongropeByOtherNames === true && (type === 'su' || type === 'yarn'))
  const own = OWN_KEYS[isLongrope ? 'longrope' : type]
  for (const key of Object.keys(rope))
    if (own && !SHARED_KEYS.has(key) && !own.includes(key))
      throw refuse(`${field}.${key}`, `is not understood with rope type ${type}`)
  if (isLongrope) return longrope(original())
  if (type === 'default') return undefined
  if (type === 'linear' || type === 'dynamic') return { type, factor: need('factor') }
  if (type === 'llama3') {
    const scaling = {
      type: 'llama3' as const,
      factor: need('factor'),
      lowFreqFactor: need('low_freq_factor'),
      highFreqFactor: need('high_freq_factor'),
      originalMaxPositionEmbeddings: need('original_max_position_embeddings'),
    }
    if (scaling.highFreqFactor <= scaling.lowFreqFactor)
      throw refuse(`${field}.high_freq_factor`, `expected more than low_freq_factor ${scaling.lowFreqFactor}`)
    return scaling
  }
  if (type !== 'yarn')
    throw refuse(
      `${field}.rope_type`,
      `expected default, linear, dynamic, llama3, yarn or longrope, got ${JSON.stringify(type)}`,
    )
  return {
    type,
    factor: need('factor'),
    originalMaxPositionEmbeddings: original(),
    ...defined({
      attentionFactor: rope.attention_factor,
      betaFast: rope.beta_fast,
      betaSlow: rope.beta_slow,
      mscale: rope.mscale,
      mscaleAllDim: rope.mscale_all_dim,
      truncate: rope.truncate,
    }),
  }

  function longrope(originalMaxPositionEmbeddings: number): RopeScaling {
    const share = rope.partial_rotary_factor ?? c.partial_rotary_factor ?? 1
    const expected = Math.trunc(width * share) / 2
    const factors = (key: 'short_factor' | 'long_factor'): number[] => {
      const list = rope[key]
      if (list?.length !== expected)
        throw refuse(`${field}.${key}`, `expected ${expected} numbers, got ${list?.length ?? 'nothing'}`)
      return list
    }
    return {
      type: 'longrope',
      shortFactor: factors('short_factor'),
      longFactor: factors('long_factor'),
      originalMaxPositionEmbeddings,
      ...defined({ factor: rope.factor, attentionFactor: rope.attention_factor }),
    }
  }
}

function defined<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

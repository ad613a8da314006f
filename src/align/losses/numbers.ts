// Arithmetic that all losses share, safe at any size of its argument.
import type { Numbers } from '#engine/contract'

/** Log-ratios are held within this before exp: e^20 is finite in float32 and its square too. */
export const LOG_RATIO_LIMIT = 20

/** Zeros of the same length and precision: a loss answers in kind. */
export function zerosLike(x: Numbers): Numbers {
  return x instanceof Float32Array ? new Float32Array(x.length) : new Float64Array(x.length)
}

export function filledLike(x: Numbers, value: number): Numbers {
  return zerosLike(x).fill(value)
}

export function sum(x: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < x.length; i++) total += x[i]!
  return total
}

export function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high)
}

export function clampLogRatio(x: number): number {
  return clamp(x, -LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)
}

/** log(1 + e^x) without overflow: x above, 0 below. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** 1 / (1 + e^-x) without overflow. */
export function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x))
  return x >= 0 ? 1 / (1 + e) : e / (1 + e)
}

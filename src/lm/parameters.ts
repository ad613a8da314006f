// Parameters as they are stored: matrices that may hold several of Hugging Face's, one below the other, so that files
// speak their keys and products stay large. Everything float32, row-major.
import { EngineError } from '#errors'
import type { PackedMatrix } from './packed-matrix.ts'
import { fromArray, keep, scope, type Tensor, toCopy } from '#torch'

/** `parts`: consecutive rows along the first axis, each under the key of a checkpoint. */
export type ParameterPlan = {
  name: string
  shape: number[]
  parts: { key: string; rows: number }[]
  /** Matrices of the body decay; norms, biases and heads never do. */
  isDecayed: boolean
  /** Value of a fresh one; absent: drawn. */
  initial?: number
  /** Writes into the residual stream. */
  isResidual?: boolean
}

/** Brings a tensor to a model's device. */
export type Upload = (host: Tensor) => Tensor

export type Parameter = ParameterPlan & {
  tensor: Tensor
  /** Where it is frozen in fewer bytes: `tensor` is then its codes. */
  packed?: PackedMatrix
  /** AdamW's running means, made at the first step. */
  moments?: { first: Tensor; second: Tensor }
}

/** The values of one key, float32. */
export type Values = { shape: readonly number[]; values: Float32Array }

/** Uploads one stored matrix; `read` answers the values of a key. Lives until freed. Errors: EngineError when a key is missing or has another shape. */
export function uploadParameter(
  plan: ParameterPlan,
  read: (key: string) => Values | undefined,
  device: string,
): Tensor {
  return upload(valuesOf(plan, read), plan.shape, device)
}

/** All parts of a stored matrix, one below the other. */
export function valuesOf(plan: ParameterPlan, read: (key: string) => Values | undefined): Float32Array {
  const tail = plan.shape.slice(1)
  const width = tail.reduce((a, b) => a * b, 1)
  const isOne = plan.parts.length === 1
  const all = new Float32Array(isOne ? 0 : plan.shape[0]! * width)
  let row = 0
  for (const part of plan.parts) {
    const found = read(part.key)
    const expected = [part.rows, ...tail]
    if (!found) throw new EngineError(`${part.key}: expected shape [${expected.join(', ')}], but the key is absent`)
    if (found.shape.join() !== expected.join())
      throw new EngineError(`${part.key}: expected shape [${expected.join(', ')}], got [${found.shape.join(', ')}]`)
    if (isOne) return found.values
    all.set(found.values, row * width)
    row += part.rows
  }
  return all
}

/** Lives until freed, whatever scope it is called in. */
export function upload(values: Float32Array, shape: readonly number[], device: string): Tensor {
  return keep(scope(() => toDevice(fromArray(values, shape), device)))
}

/** In the caller's scope. */
export function toDevice(host: Tensor, device: string): Tensor {
  return device === 'cpu' ? host : toCopy(host, { device })
}

// Copies between JavaScript's typed arrays and tensors. Shapes are row-major; nothing is shared, so either side may be freed.
import { addon } from './addon.ts'
import { type DType, dtypeCode, type Tensor, wrap } from './tensor.ts'

export type NumberArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array

/** A CPU tensor of the array's own dtype (float32, float64, int32, int64, uint8). `shape` defaults to one axis. */
export function fromArray(values: NumberArray, shape: readonly number[] = [values.length]): Tensor {
  return wrap(addon().fromArray(values, shape))
}

/** A CPU tensor from raw little-endian bytes, as safetensors holds them. */
export function fromBytes(bytes: Uint8Array, shape: readonly number[], dtype: DType): Tensor {
  return wrap(addon().fromBytes(bytes, shape, dtypeCode(dtype)!))
}

/** The raw bytes, row-major. */
export function toBytes(t: Tensor): Uint8Array {
  return addon().toBytes(t.handle)
}

/** As Float32Array, whatever the dtype. */
export function toFloat32(t: Tensor): Float32Array {
  return new Float32Array(addon().toBuffer(t.handle, dtypeCode('float32')!))
}

/** As Float64Array, whatever the dtype. */
export function toFloat64(t: Tensor): Float64Array {
  return new Float64Array(addon().toBuffer(t.handle, dtypeCode('float64')!))
}

/** As Int32Array; int64 values must fit. */
export function toInt32(t: Tensor): Int32Array {
  return new Int32Array(addon().toBuffer(t.handle, dtypeCode('int32')!))
}

/** As BigInt64Array. */
export function toBigInt64(t: Tensor): BigInt64Array {
  return new BigInt64Array(addon().toBuffer(t.handle, dtypeCode('int64')!))
}

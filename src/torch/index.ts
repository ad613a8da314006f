// libtorch for TypeScript: tensors as integers, PyTorch's ops under their own names, fused kernels where a bench shows the gain.
export { currentBuild } from './addon.ts'
export { type NumberArray, fromArray, fromBytes, toBigInt64, toBytes, toFloat32, toFloat64, toInt32 } from './arrays.ts'
export { backward, gradients, noGrad } from './autograd.ts'
export {
  type AdamWOptions,
  type SamplingRows,
  adamWStep,
  cacheWrite_,
  decodeAttention,
  gradientNorm,
  packedAttention,
  rmsNorm,
  rotary,
  rotaryTables,
  sampleRows,
  swiGlu,
  tokenLogprobs,
} from './kernels.ts'
export { type DType, Generator, Tensor, keep, liveTensors, manualGenerator, scope } from './tensor.ts'
export * from './ops.ts'

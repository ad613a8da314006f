// libtorch for TypeScript: tensors as integers, PyTorch's ops under their own names, fused kernels where a bench shows the gain.
// Importing it loads nothing; the first call does, and says `npm run setup` where there is nothing to load.
export { fromArray, fromBytes, type NumberArray, toBigInt64, toBytes, toFloat32, toFloat64, toInt32 } from './arrays.ts'
export { backward, gradients, noGrad } from './autograd.ts'
export {
  type AdamWOptions,
  adamWStep,
  cacheMove_,
  cacheWrite_,
  decodeAttention,
  type DecodedLayer,
  decodeLayer,
  fewRows,
  gradientNorm,
  matrixProduct,
  packedAttention,
  rmsNorm,
  rotary,
  rotarySplit,
  rotaryTables,
  type SamplingRows,
  sampleRows,
  swiGlu,
  tokenLogprobs,
  panelCopy,
  weightCopy,
  wideSum,
} from './kernels.ts'
export { bitsOfKernels, KNOWN_BITS } from './known-bits.ts'
export { forbidLeaks } from './leaks.ts'
export * from './ops.ts'
export {
  type Description,
  describe,
  type Measurement,
  type Memory,
  measure,
  memory,
  resetPeakMemory,
  setThreads,
} from './probe.ts'
export { type DType, Generator, keep, liveTensors, manualGenerator, scope, Tensor } from './tensor.ts'

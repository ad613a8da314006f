// --dtype: of matrix products, the same wherever a model runs.
import { ConfigError } from '#errors'
import { choosePrecision, type Precision } from '#lm'

export const DTYPE_FLAG = [
  '--dtype <dtype>',
  'of matrix products: float32, bfloat16, or auto = bfloat16 where the machine has units for it (default: auto)',
] as const

/** What `auto` means on this machine is settled here, so that a run resumed on another goes on as it began. */
export function readDtype(value: string | undefined, device: string): Precision {
  const asked = (['auto', 'float32', 'bfloat16'] as const).find((name) => name === (value ?? 'auto'))
  if (asked === undefined) throw new ConfigError(`--dtype: expected auto, float32 or bfloat16, got ${value}`)
  return choosePrecision(asked, device)
}

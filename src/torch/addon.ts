// Finds and loads the compiled addon, at the first call that needs it: importing '#torch' alone loads nothing.
// Set-up writes `.hone/addon/current.json`; sources newer than the addon are refused rather than run beside it.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigError, EngineError } from '#errors'
import { OP_LIST } from './op-list.ts'

/** What an op takes and gives across the border: handles, numbers, lists of them. */
type Value = number | boolean | string | null | undefined | readonly (number | undefined)[]

/** The addon's functions. Every failure is thrown by it as EngineError. */
export type Addon = {
  /** Names the ops that `call` numbers, and the class of errors. */
  start(ops: readonly (readonly [name: string, overload: string])[], errorClass: typeof EngineError): void
  call(op: number, ...args: Value[]): unknown
  /** Undefined when the library has no such op. */
  schema(name: string, overload: string): string | undefined
  free(handle: number): void
  live(): number
  enterScope(): void
  leaveScope(kept: readonly number[]): void
  keep(handle: number): void
  shape(handle: number): number[]
  dtype(handle: number): number
  device(handle: number): string
  requiresGrad(handle: number): boolean
  setRequiresGrad(handle: number, isNeeded: boolean): void
  grad(handle: number): number | undefined
  setGrad(handle: number, gradient: number | undefined): void
  setGradMode(isOn: boolean): boolean
  backward(outputs: readonly number[], gradients: readonly (number | undefined)[]): void
  gradients(outputs: readonly number[], gradients: readonly (number | undefined)[], inputs: readonly number[]): number[]
  generator(seed: number, device: string): number
  fromArray(values: ArrayBufferView, shape: readonly number[]): number
  fromBytes(bytes: Uint8Array, shape: readonly number[], dtype: number): number
  toBytes(handle: number): Uint8Array
  toBuffer(handle: number, dtype: number): ArrayBuffer
  setThreads(threads: number): void
  threads(): number
  describe(): Record<string, string | number | boolean>
  memory(): { live: number; peak: number; largest: number }
  resetPeak(): void
}

/** What set-up writes beside the addon. `source`: how libtorch was found; `blas`: the folder it was made to load BLAS from, or `default`. */
export type Build = {
  file: string
  sources: string
  libtorch: string
  version: string
  source: string
  compiler: string
  blas: string
}

let loaded: Addon | undefined

/** The loaded addon. Errors: ConfigError when set-up has not made it. */
export function addon(): Addon {
  return loaded ?? load()
}

/** The build that `addon` would load. */
export function currentBuild(): Build {
  const chosen = process.env.HONE_LIBTORCH
  const suffix = chosen ? `-${createHash('sha256').update(resolve(chosen)).digest('hex').slice(0, 12)}` : ''
  const record = join(ROOT, `.hone/addon/current${suffix}.json`)
  if (!existsSync(record)) throw new ConfigError('the libtorch addon is not built: run npm run setup')
  const build = JSON.parse(readFileSync(record, 'utf8')) as Build
  if (build.sources !== hashSources() || !existsSync(build.file))
    throw new ConfigError('the libtorch addon was built from other sources: run npm run setup')
  return build
}

const ROOT = resolve(import.meta.dirname, '../..')

function load(): Addon {
  const { file } = currentBuild()
  // Waiting threads spin for a fraction of a millisecond, as long as most ops last, then sleep: waking one costs more than
  // a small op, and other processes share the cores. Read once, when OpenMP starts.
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '10000'
  let native: Addon
  try {
    native = createRequire(import.meta.url)(file) as Addon
  } catch (cause) {
    throw new ConfigError(`the libtorch addon does not load (${(cause as Error).message}): run npm run setup`, {
      cause,
    })
  }
  native.start(
    OP_LIST.map(([schema]) => {
      const [name, overload = ''] = schema.split('.')
      return [name!, overload] as const
    }),
    EngineError,
  )
  native.setThreads(threadsWanted())
  loaded = native
  return native
}

function threadsWanted(): number {
  const text = process.env.HONE_THREADS
  if (text === undefined) return availableParallelism()
  const threads = Number(text)
  if (!Number.isInteger(threads) || threads < 1)
    throw new ConfigError(`HONE_THREADS: expected a whole number of at least 1, got "${text}"`)
  return threads
}

/** SHA-256 over the native sources, in the order of their paths; scripts/setup.mjs computes the same. */
function hashSources(): string {
  const folder = join(import.meta.dirname, 'native')
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
    if (/\.(cc|h)$/.test(name))
      hash
        .update(name)
        .update('\0')
        .update(readFileSync(join(folder, name)))
  return hash.digest('hex')
}

// What `hone doctor` asks: which libtorch this is, what it can do, what is wrong, and how fast this machine is with it.
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { addon, currentBuild } from './addon.ts'
import { noGrad } from './autograd.ts'
import { mm, ones, randn, sum, toCopy } from './ops.ts'
import { type DType, manualGenerator, scope } from './tensor.ts'

export type Description = {
  version: string
  /** Folder of the libraries. */
  path: string
  /** How set-up found it. */
  source: string
  blas: string
  /** Which of ATen's own kernels run: DEFAULT, AVX2, AVX512, ... */
  cpuCapability: string
  /** Those of the processor that matter here. */
  instructionSets: string[]
  threads: number
  features: { fusedAttention: boolean; fusedAdam: boolean; cuda: boolean; oneDnn: boolean; bfloat16Units: boolean }
  /** What is wrong or slow, each with what to do. */
  warnings: string[]
}

/** Best of several tries; other processes on the machine lower it. */
export type Measurement = {
  float32GigaflopsPerSecond: number
  bfloat16GigaflopsPerSecond: number
  readGigabytesPerSecond: number
}

/** Tensors' memory on the CPU in this process, in bytes. `largest` is the largest single allocation since the last reset. */
export type Memory = { live: number; peak: number; largest: number }

export function describe(): Description {
  const build = currentBuild()
  const library = addon().describe()
  const config = String(library.config)
  const instructionSets = processorFlags()
  const description: Description = {
    version: String(library.version),
    path: build.libtorch,
    source: build.source,
    blas: loadedBlas() ?? /BLAS_INFO=(\w+)/.exec(config)?.[1] ?? 'unknown',
    cpuCapability: /CPU capability usage: (\w+)/.exec(config)?.[1] ?? 'unknown',
    instructionSets,
    threads: addon().threads(),
    features: {
      fusedAttention: hasOp('aten::_scaled_dot_product_flash_attention_for_cpu'),
      fusedAdam: hasOp('aten::_fused_adamw_'),
      cuda: library.cuda === true,
      oneDnn: library.mkldnn === true,
      bfloat16Units: instructionSets.some((flag) => ['avx512_bf16', 'amx_bf16', 'bf16'].includes(flag)),
    },
    warnings: [],
  }
  description.warnings = warningsOf(description)
  return description
}

/** About a second of work. */
export function measure(): Measurement {
  return noGrad(() => ({
    float32GigaflopsPerSecond: productSpeed('float32'),
    bfloat16GigaflopsPerSecond: productSpeed('bfloat16'),
    readGigabytesPerSecond: readSpeed(),
  }))
}

/** How many threads ops may use in this process; all cores unless HONE_THREADS says otherwise. */
export function setThreads(threads: number): void {
  addon().setThreads(threads)
}

export function memory(): Memory {
  return addon().memory()
}

/** From now on `peak` and `largest` count afresh. */
export function resetPeakMemory(): void {
  addon().resetPeak()
}

function hasOp(name: string): boolean {
  return addon().schema(name, '') !== undefined
}

function warningsOf(d: Description): string[] {
  const warnings: string[] = []
  if (d.blas.includes('openblas-pthread'))
    warnings.push(
      `BLAS keeps threads of its own beside libtorch's (${d.blas}): apt-get install libopenblas0-openmp, remove .hone/addon, npm run setup`,
    )
  if (d.threads < availableParallelism())
    warnings.push(`${d.threads} of ${availableParallelism()} cores are used: HONE_THREADS says so`)
  if (d.instructionSets.includes('avx512f') && d.cpuCapability === 'AVX2')
    warnings.push('ATen runs AVX2 kernels on an AVX-512 processor: ATEN_CPU_CAPABILITY=avx512 makes bfloat16 faster')
  if (!d.features.fusedAttention)
    warnings.push(
      `libtorch ${d.version} is old: a 2.x brings faster bfloat16 and element-wise kernels (pip install torch, then npm run setup)`,
    )
  if (!d.features.bfloat16Units) warnings.push('no bfloat16 units: train in float32, bfloat16 would be slower')
  return warnings
}

/** The BLAS that this process has mapped, by its file; undefined where the system does not say. */
function loadedBlas(): string | undefined {
  if (!existsSync('/proc/self/maps')) return undefined
  const files = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .map((line) => line.slice(line.indexOf('/')))
  const known = files.find((file) => /^lib(openblas|blis|mkl_rt|mkl_core|blas)/.test(basename(file)))
  return known
}

function processorFlags(): string[] {
  if (!existsSync('/proc/cpuinfo')) return []
  const flags =
    /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' ') ?? []
  const known = new Set(
    'avx avx2 fma f16c avx512f avx512vl avx512_vnni avx512_bf16 amx_tile amx_bf16 amx_int8 asimd sve bf16'.split(' '),
  )
  return flags.filter((flag) => known.has(flag))
}

/** GFLOP/s of n x n products, growing while they are quick: bfloat16 without units may be a hundred times slower. */
function productSpeed(dtype: DType): number {
  let best = 0
  for (const n of [128, 256, 512, 1024, 1024, 1024, 1024]) {
    const seconds = scope(() => {
      const generator = manualGenerator(n)
      const a = toCopy(randn([n, n], generator), { dtype })
      generator.free()
      mm(a, a).free()
      return timed(() => mm(a, a).free())
    })
    best = Math.max(best, (2 * n ** 3) / seconds / 1e9)
    if (seconds > 0.05) break
  }
  return best
}

/** GB/s of summing 128 MiB, which no cache holds. */
function readSpeed(): number {
  return scope(() => {
    const count = 32 << 20
    const x = ones([count])
    const seconds = [1, 2, 3, 4, 5].map(() => timed(() => sum(x).free()))
    return (count * 4) / Math.min(...seconds) / 1e9
  })
}

function timed(fn: () => void): number {
  const start = performance.now()
  fn()
  return (performance.now() - start) / 1000
}

// The addon: compiled by `c++` for this machine into .hone/addon/<hash>, with a record that says which build is current.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMPILER } from './libtorch.mjs'
import { run } from './run.mjs'

const SCRIPT = fileURLToPath(import.meta.url)
const ROOT = resolve(dirname(SCRIPT), '../..')
const ADDON = join(ROOT, '.hone/addon')
const NATIVE = join(ROOT, 'src/torch/native')
// The instructions of this processor, but one rule for all of x86 on what decides the order of sums: how wide the compiler's own
// vectors are, and where it makes a multiply-add of two operations. So float32 gives the same bits with AVX2 and with AVX-512
// (docs/decisions/016-bits.md).
const PROCESSOR =
  process.arch === 'x64' ? ['-march=native', '-mtune=znver3', '-mprefer-vector-width=256'] : ['-march=native']

/** Whether the current build is of these sources, for this processor, with the library still there. */
export function hasAddon() {
  const record = recordFile()
  if (!existsSync(record)) return false
  const build = JSON.parse(readFileSync(record, 'utf8'))
  return (
    build.sources === hashSources() &&
    build.machine === machine() &&
    existsSync(build.file) &&
    existsSync(build.libraryFile)
  )
}

/** Compiles and links against library, and makes it current. Answers the name of the build. */
export async function compile(library) {
  const compilerVersion = spawnSync(COMPILER, ['--version'], { encoding: 'utf8' }).stdout
  const sources = hashSources()
  const name = hashOf([sources, machine(), library.folder, library.version, compilerVersion].join('\0')).slice(0, 16)
  const folder = join(ADDON, name)
  const file = join(folder, 'hone_torch.node')
  const { compileFlags, linkFlags, blas } = flagsFor(library)
  if (!existsSync(file)) {
    const work = `${folder}.${process.pid}`
    mkdirSync(work, { recursive: true })
    // Each folder of native/ is one unit: the headers of libtorch take the compiler far longer than our own code.
    const units = readdirSync(NATIVE)
    const objects = units.map((unit) => join(work, `${unit}.o`))
    const compileUnit = async (unit, object) => {
      const includes = readdirSync(join(NATIVE, unit))
        .filter((f) => f.endsWith('.cc'))
        .sort()
      const source = join(work, `${unit}.cc`)
      writeFileSync(source, includes.map((f) => `#include "${join(NATIVE, unit, f)}"\n`).join(''))
      await run(COMPILER, [...compileFlags, '-c', source, '-o', object], `native/${unit} does not compile`)
      rmSync(source)
    }
    await inParallel(units.map((unit, i) => () => compileUnit(unit, objects[i])))
    await run(
      COMPILER,
      ['-shared', '-o', join(work, 'hone_torch.node'), ...objects, ...linkFlags],
      'the addon does not link',
    )
    for (const object of objects) rmSync(object)
    rmSync(folder, { recursive: true, force: true })
    renameSync(work, folder)
  }
  const build = {
    file,
    sources,
    machine: machine(),
    libtorch: library.folder,
    libraryFile: library.file,
    version: library.version,
    source: library.source,
    blas,
    compiler: compilerVersion.split('\n')[0],
  }
  writeFileSync(`${recordFile()}.${process.pid}`, `${JSON.stringify(build, null, 2)}\n`)
  renameSync(`${recordFile()}.${process.pid}`, recordFile())
  removeOldBuilds()
  return name
}

/** One record for each choice of HONE_LIBTORCH, so that trying another library disturbs nobody; src/torch/addon.ts reads the same. */
function recordFile() {
  const chosen = process.env.HONE_LIBTORCH
  const suffix = chosen ? `-${hashOf(resolve(chosen)).slice(0, 12)}` : ''
  return join(ADDON, `current${suffix}.json`)
}

/** SHA-256 over the native sources, in the order of their paths; src/torch/addon.ts computes the same. */
function hashSources() {
  const hash = createHash('sha256')
  for (const name of readdirSync(NATIVE, { recursive: true, encoding: 'utf8' }).sort())
    if (/\.(cc|h)$/.test(name))
      hash
        .update(name)
        .update('\0')
        .update(readFileSync(join(NATIVE, name)))
  return hash.digest('hex')
}

/** The addon is compiled for this processor by the flags in this file. */
function machine() {
  return hashOf([process.platform, process.arch, cpus()[0]?.model, readFileSync(SCRIPT, 'utf8')].join('\0'))
}

function flagsFor({ include, lib, folder }) {
  const isMac = process.platform === 'darwin'
  const compileFlags = [
    '-std=gnu++20',
    '-O3',
    ...PROCESSOR,
    '-fno-trapping-math',
    '-fno-math-errno',
    '-fPIC',
    '-fvisibility=hidden',
    '-DNAPI_VERSION=9',
  ]
  // /usr/include is searched anyway, and named as -isystem it would come before the compiler's own headers.
  const includes = [
    join(ROOT, 'node_modules/node-api-headers/include'),
    include,
    join(include, 'torch/csrc/api/include'),
  ]
  for (const path of includes) if (path !== '/usr/include') compileFlags.push('-isystem', path)
  // Older wheels of PyPI have strings of before C++11: their library says which.
  if (!isMac && !readFileSync(join(lib, 'libc10.so')).includes('__cxx11'))
    compileFlags.push('-D_GLIBCXX_USE_CXX11_ABI=0')
  if (isMac) {
    compileFlags.push('-Xpreprocessor', '-fopenmp')
    return {
      compileFlags,
      linkFlags: ['-undefined', 'dynamic_lookup', `-L${lib}`, `-Wl,-rpath,${lib}`, '-ltorch_cpu', '-lc10', '-lomp'],
      blas: 'Accelerate',
    }
  }
  compileFlags.push('-fopenmp')
  const linkFlags = ['-Wl,--no-as-needed', '-Wl,--disable-new-dtags']
  // Debian's default OpenBLAS keeps threads of its own, which fight with libtorch's for the cores. The one on OpenMP is named
  // by path and comes first, so that libtorch finds it loaded; the system's choice stays as it is.
  const openblas = join(lib, 'openblas-openmp')
  const hasOpenblas = existsSync(join(openblas, 'libblas.so.3'))
  if (hasOpenblas) linkFlags.push(`-L${openblas}`, `-Wl,-rpath,${openblas}`, '-l:libblas.so.3', '-l:liblapack.so.3')
  linkFlags.push(`-L${lib}`, `-Wl,-rpath,${lib}`, '-ltorch_cpu', '-lc10')
  if (existsSync(join(lib, 'libtorch_cuda.so')) && existsSync('/dev/nvidiactl')) linkFlags.push('-ltorch_cuda')
  // One OpenMP in the process: a wheel brings its own.
  const gomp = readdirSync(lib).find((f) => /^libgomp.*\.so/.test(f) && folder !== '/usr')
  linkFlags.push(gomp ? join(lib, gomp) : '-fopenmp')
  return { compileFlags, linkFlags, blas: hasOpenblas ? openblas : 'default' }
}

async function inParallel(tasks) {
  const waiting = tasks.values()
  const worker = async () => {
    for (const task of waiting) await task()
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

/** Builds that no record names; an hour of grace for processes that have just read a record. */
function removeOldBuilds() {
  const records = readdirSync(ADDON).filter((f) => f.endsWith('.json'))
  const used = new Set(records.map((f) => dirname(JSON.parse(readFileSync(join(ADDON, f), 'utf8')).file)))
  for (const name of readdirSync(ADDON)) {
    const folder = join(ADDON, name)
    if (records.includes(name) || used.has(folder) || Date.now() - statSync(folder).mtimeMs < 3_600_000) continue
    rmSync(folder, { recursive: true, force: true })
  }
}

function hashOf(text) {
  return createHash('sha256').update(text).digest('hex')
}

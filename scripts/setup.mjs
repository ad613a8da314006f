// Set-up without dependencies: npm packages, libtorch, and the addon compiled for this machine. One line a step with its
// time; a second run only compares stamps. `--quiet` prints only what it has to do. HONE_LIBTORCH names a libtorch folder
// (with include/ and lib/, such as Python's site-packages/torch); otherwise the first found of Python's torch and the
// system's is used, else the system's is installed where that is allowed, else PyPI's wheel goes into .hone/libtorch.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(import.meta.url)
const ROOT = resolve(dirname(SCRIPT), '..')
const HONE = join(ROOT, '.hone')
const ADDON = join(HONE, 'addon')
const NATIVE = join(ROOT, 'src/torch/native')
const LOCK = join(HONE, 'setup.lock')
const COMPILER = process.env.CXX ?? 'c++'
const WHAT_TO_DO =
  'run `apt-get install libtorch-dev g++` (or `pip install torch` and install a C++ compiler), or set HONE_LIBTORCH to a folder with include/ and lib/'
const isQuiet = process.argv.includes('--quiet')

/** Expected: said in one sentence, without a stack. */
class SetupError extends Error {}

try {
  const started = performance.now()
  mkdirSync(ADDON, { recursive: true })
  if (!isReady()) await withLock(setUp)
  else if (!isQuiet) say('ready', 'nothing to do', started)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(`setup: ${error.message}`)
  process.exit(1)
}

async function setUp() {
  if (!hasPackages()) await step('packages', () => run('npm', ['ci', '--no-audit', '--no-fund'], 'npm ci failed'))
  if (hasAddon()) return
  if (!findLibtorch() || !hasCompiler()) await step('install', installMissing)
  const library = findLibtorch()
  if (!library) throw new SetupError(`no libtorch was found: ${WHAT_TO_DO}`)
  if (!hasCompiler()) throw new SetupError(`no C++ compiler (${COMPILER}) was found: ${WHAT_TO_DO}`)
  await step('libtorch', () => `${library.version} (${library.source}) in ${library.folder}`)
  await step('addon', () => compile(library))
}

// What is there

function isReady() {
  return hasPackages() && hasAddon()
}

/** Compares the lock file with npm's own record of what it installed. */
function hasPackages() {
  const record = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return false
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, p]) => path === '' || (p.optional && !installed[path]) || installed[path]?.version === p.version,
  )
}

function hasAddon() {
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

/** One record for each choice of HONE_LIBTORCH, so that trying another library disturbs nobody; src/torch/addon.ts reads the same. */
function recordFile() {
  const chosen = process.env.HONE_LIBTORCH
  const suffix = chosen ? `-${hashOf(resolve(chosen)).slice(0, 12)}` : ''
  return join(ADDON, `current${suffix}.json`)
}

/** SHA-256 over the native sources, in the order of their paths; src/torch/addon.ts computes the same. */
function hashSources() {
  const hash = createHash('sha256')
  for (const name of readdirSync(NATIVE, { recursive: true }).sort())
    if (/\.(cc|h)$/.test(name))
      hash
        .update(name)
        .update('\0')
        .update(readFileSync(join(NATIVE, name)))
  return hash.digest('hex')
}

/** The addon is compiled for this processor by the flags in this script. */
function machine() {
  return hashOf([process.platform, process.arch, cpus()[0]?.model, readFileSync(SCRIPT, 'utf8')].join('\0'))
}

function hasCompiler() {
  return spawnSync(COMPILER, ['--version']).status === 0
}

/** `python3` that can run; undefined when there is none. */
function python() {
  return ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0)
}

function findLibtorch() {
  const chosen = process.env.HONE_LIBTORCH
  if (chosen) {
    const found = libtorchAt(resolve(chosen), 'HONE_LIBTORCH')
    if (!found)
      throw new SetupError(`HONE_LIBTORCH=${chosen}: expected a folder with include/ATen and lib/ with libtorch_cpu`)
    return found
  }
  return pythonLibtorch() ?? systemLibtorch() ?? libtorchAt(join(HONE, 'libtorch/torch'), 'PyPI wheel')
}

function pythonLibtorch() {
  const interpreter = python()
  if (!interpreter) return undefined
  const code =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
  const folder = spawnSync(interpreter, ['-c', code], { encoding: 'utf8' }).stdout?.trim()
  return folder ? libtorchAt(folder, `Python's torch`) : undefined
}

function systemLibtorch() {
  for (const prefix of ['/usr', '/usr/local', '/opt/homebrew']) {
    const found = libtorchAt(prefix, 'system')
    if (found) return found
  }
  return undefined
}

/** A libtorch under folder, or undefined: headers in include/, libraries in lib/, lib64/ or lib/<machine>-linux-gnu/. */
function libtorchAt(folder, source) {
  const include = join(folder, 'include')
  if (!existsSync(join(include, 'ATen/core/Tensor.h'))) return undefined
  const gnu = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch
  const extension = process.platform === 'darwin' ? 'dylib' : 'so'
  const lib = ['lib', 'lib64', `lib/${gnu}-linux-gnu`]
    .map((l) => join(folder, l))
    .find((l) => existsSync(join(l, `libtorch_cpu.${extension}`)))
  if (!lib) return undefined
  const versionFiles = ['torch/headeronly/version.h', 'torch/csrc/api/include/torch/version.h'].map((f) =>
    join(include, f),
  )
  const versionText = versionFiles
    .filter((f) => existsSync(f))
    .map((f) => readFileSync(f, 'utf8'))
    .join('\n')
  const part = (name) => new RegExp(`#define TORCH_VERSION_${name} (\\d+)`).exec(versionText)?.[1] ?? '?'
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(part).join('.')
  return { folder, include, lib, source, version, file: join(lib, `libtorch_cpu.${extension}`) }
}

// Installing

async function installMissing() {
  const isMissing = !findLibtorch()
  const packages = [...(hasCompiler() ? [] : ['g++']), ...(isMissing ? ['libtorch-dev', 'libopenblas0-openmp'] : [])]
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    try {
      await run('apt-get', ['update'], 'apt-get update failed')
      await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], 'apt-get install failed')
      return packages.join(' ')
    } catch (error) {
      if (!isMissing || !hasCompiler()) throw error
    }
  }
  if (!isMissing || !hasCompiler()) throw new SetupError(`no C++ compiler (${COMPILER}) was found: ${WHAT_TO_DO}`)
  return installWheel()
}

/** The CPU wheel of PyTorch's own index where it can be reached (PyPI's for Linux carries CUDA), else PyPI's. */
async function installWheel() {
  const interpreter = python()
  if (!interpreter || spawnSync(interpreter, ['-m', 'pip', '--version']).status !== 0)
    throw new SetupError(`no libtorch was found: ${WHAT_TO_DO}`)
  const install = ['-m', 'pip', 'install', '--quiet', '--target', join(HONE, 'libtorch')]
  const hasOwnIndex = process.platform === 'linux' && process.arch === 'x64'
  try {
    if (!hasOwnIndex) throw new SetupError('only PyPI serves this machine')
    await run(
      interpreter,
      [...install, '--no-deps', '--index-url', 'https://download.pytorch.org/whl/cpu', 'torch'],
      'no CPU wheel',
    )
  } catch {
    await run(interpreter, [...install, 'torch'], 'pip install torch failed')
  }
  return `PyPI's torch in ${join(HONE, 'libtorch')}`
}

// Compiling

async function compile(library) {
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
      const includes = readdirSync(join(NATIVE, unit)).filter((f) => f.endsWith('.cc'))
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

function flagsFor({ include, lib, folder }) {
  const isMac = process.platform === 'darwin'
  const compileFlags = [
    '-std=gnu++20',
    '-O3',
    '-march=native',
    '-fno-trapping-math',
    '-fno-math-errno',
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

// Running

/** Runs it; on failure the end of what it said follows the message. */
function run(command, args, failure) {
  return new Promise((done, fail) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const listen = (data) => {
      said = (said + data).slice(-20_000)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.on('error', (error) => fail(new SetupError(`${failure}: ${error.message}`)))
    child.on('close', (code) => (code === 0 ? done() : fail(new SetupError(`${failure}\n${explain(said)}`))))
  })
}

/** A compiler's first errors, or the last lines. */
function explain(said) {
  const lines = said.trim().split('\n')
  const errors = lines.filter((line) => /error[: ]/i.test(line)).slice(0, 8)
  return (errors.length > 0 ? errors : lines.slice(-8)).join('\n')
}

async function step(name, task) {
  const started = performance.now()
  const detail = await task()
  say(name, detail ?? '', started)
}

function say(name, detail, started) {
  console.log(
    `setup  ${name.padEnd(9)} ${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${detail}`.trimEnd(),
  )
}

/** One set-up at a time: the second waits, and finds the work done. A lock of a process that has died is taken over. */
async function withLock(task) {
  const mine = `${LOCK}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    for (let hasSaid = false; !tryLink(mine); hasSaid = true) {
      const holder = readHolder()
      if (holder !== undefined && !isAlive(holder)) {
        try {
          renameSync(LOCK, `${mine}.stale`)
        } catch {
          continue // another process took it over
        }
        rmSync(`${mine}.stale`)
        continue
      }
      if (!hasSaid) console.log(`setup  waits for another set-up (process ${holder ?? 'unknown'})`)
      await new Promise((r) => setTimeout(r, 200))
    }
  } finally {
    rmSync(mine)
  }
  try {
    if (!isReady()) await task()
  } finally {
    rmSync(LOCK, { force: true })
  }
}

function tryLink(mine) {
  try {
    linkSync(mine, LOCK)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function readHolder() {
  try {
    return Number(readFileSync(LOCK, 'utf8'))
  } catch {
    return undefined // released meanwhile
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function hashOf(text) {
  return createHash('sha256').update(text).digest('hex')
}

// Finding libtorch and a C++ compiler, and installing what is missing: the system's packages where that is allowed (root and
// apt-get), else PyPI's wheel into .hone/libtorch. The order of finding is in README and in `findLibtorch`.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run, SetupError } from './run.mjs'

export const COMPILER = process.env.CXX ?? 'c++'
export const WHAT_TO_DO =
  'run `apt-get install libtorch-dev g++` (or `pip install torch` and install a C++ compiler), or set HONE_LIBTORCH to a folder with include/ and lib/'

/** { folder, include, lib, source, version, file }, or undefined. `hone`: the .hone folder. */
export function findLibtorch(hone) {
  const chosen = process.env.HONE_LIBTORCH
  if (chosen) {
    const found = libtorchAt(resolve(chosen), 'HONE_LIBTORCH')
    if (!found)
      throw new SetupError(`HONE_LIBTORCH=${chosen}: expected a folder with include/ATen and lib/ with libtorch_cpu`)
    return found
  }
  return pythonLibtorch() ?? systemLibtorch() ?? libtorchAt(join(hone, 'libtorch/torch'), 'PyPI wheel')
}

export function hasCompiler() {
  return spawnSync(COMPILER, ['--version']).status === 0
}

export async function installMissing(hone) {
  const isMissing = !findLibtorch(hone)
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
  return installWheel(hone)
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

/** The CPU wheel of PyTorch's own index where it can be reached (PyPI's for Linux carries CUDA), else PyPI's. */
async function installWheel(hone) {
  const interpreter = python()
  if (!interpreter || spawnSync(interpreter, ['-m', 'pip', '--version']).status !== 0)
    throw new SetupError(`no libtorch was found: ${WHAT_TO_DO}`)
  const install = ['-m', 'pip', 'install', '--quiet', '--target', join(hone, 'libtorch')]
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
  return `PyPI's torch in ${join(hone, 'libtorch')}`
}

/** `python3` that can run; undefined when there is none. */
function python() {
  return ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0)
}

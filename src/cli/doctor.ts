// hone doctor: what this machine offers, what is wrong and what to do about it. Exit code 1 when something is wrong; what
// is merely slow is a warning.
import fs from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import { bucketOf, probeBucket } from '#bucket'
import { findWorkspace } from '#data'
import { ConfigError, DataError, EngineError, HttpError } from '#errors'
import { bitsOfKernels, type Description, describe, KNOWN_BITS, measure, type Measurement } from '#torch'
import { resolveModel } from '#trainer'
import type { Command } from 'commander'
import { figure, output } from './output.ts'
import { version } from './version.ts'

const OLDEST_NODE = [20, 11] as const
/** Training the bundled model takes about half a GiB, the rest is the system's. */
const LEAST_MEMORY_GIB = 2
const LEAST_DISK_GIB = 1
const GIB = 2 ** 30
/** libtorch of Debian 12 and its kernels, with which README's figures were taken. */
const OF_README = { version: '1.13.', kernels: 'AVX2' }

/** Each with what to do. */
type Findings = { problems: string[]; warnings: string[] }

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what this machine offers, and what is wrong, each with what to do; exit code 1 when something is')
    .option('--dir <folder>', 'workspace whose artifacts are looked for (default: the one around this folder)')
    .option('--measure', 'measure products and memory too, about a second')
    .option('--json', 'events as JSON lines on standard output')
    .action(doctor)
}

async function doctor(options: { dir?: string; measure?: boolean; json?: boolean }): Promise<void> {
  const out = output(options)
  const found: Findings = { problems: [], warnings: [] }
  const machine = examineMachine(found)
  const libtorch = examineLibtorch(found)
  const speed = options.measure && libtorch ? measure() : undefined
  const artifacts = await examineArtifacts(options.dir ?? findWorkspace(process.cwd()), found)
  out.event({ event: 'done', hone: version(), ...machine, libtorch, speed, artifacts, ...found })
  const lines = linesOf(machine, libtorch, speed)
  if (artifacts)
    lines.push(['artifacts', artifacts.can ? `${artifacts.place}, can be read and written` : artifacts.place])
  for (const [name, value] of lines) out.say(`${name.padEnd(12)} ${value}`)
  for (const warning of found.warnings) out.say(`warning: ${warning}`)
  for (const problem of found.problems) out.say(`WRONG: ${problem}`)
  out.say(found.problems.length === 0 ? 'nothing is wrong' : `${found.problems.length} to put right`)
  if (found.problems.length > 0) process.exitCode = 1
}

/** hasKnownBits: of our kernels, in float32. */
type Libtorch = Omit<Description, 'warnings'> & { hasKnownBits: boolean }
type Machine = { node: string; platform: string; memoryBytes: number; freeMemoryBytes: number; freeDiskBytes: number }

function examineMachine({ problems, warnings }: Findings): Machine {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    problems.push(`Node ${process.versions.node} is too old: install ${OLDEST_NODE.join('.')} or newer`)
  const disk = fs.statfsSync(process.cwd())
  const machine = {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    freeDiskBytes: disk.bavail * disk.bsize,
  }
  if (machine.memoryBytes < LEAST_MEMORY_GIB * GIB)
    warnings.push(`${gib(machine.memoryBytes)} of memory: the quickstart wants ${LEAST_MEMORY_GIB} GiB`)
  if (machine.freeDiskBytes < LEAST_DISK_GIB * GIB)
    warnings.push(
      `${gib(machine.freeDiskBytes)} of disk are free here: checkpoints want ${LEAST_DISK_GIB} GiB, or give --out elsewhere`,
    )
  try {
    resolveModel('base')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push('the bundled base is not there: check out the whole repository, or make it anew with hone pretrain')
  }
  return machine
}

function examineLibtorch({ problems, warnings }: Findings): Libtorch | undefined {
  try {
    const { warnings: own, ...description } = describe()
    warnings.push(...own)
    return { ...description, hasKnownBits: bitsOfKernels() === KNOWN_BITS }
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof EngineError)) throw error
    problems.push(error.message)
    return undefined
  }
}

/** Where those of the workspace are; undefined: there is none here. */
async function examineArtifacts(
  workspace: string | undefined,
  { problems }: Findings,
): Promise<{ place: string; can: boolean } | undefined> {
  if (workspace === undefined) return undefined
  const folder = join(workspace, 'artifacts')
  let place = folder
  try {
    const bucket = bucketOf(workspace)
    if (bucket) place = bucket.url
    if (bucket) await probeBucket(bucket)
    else fs.accessSync(fs.existsSync(folder) ? folder : workspace, fs.constants.R_OK | fs.constants.W_OK)
    return { place, can: true }
  } catch (error) {
    const isTold = error instanceof ConfigError || error instanceof DataError || error instanceof HttpError
    problems.push(isTold ? error.message : `artifacts cannot be read and written: ${(error as Error).message}`)
    return { place, can: false }
  }
}

function linesOf(machine: Machine, libtorch: Libtorch | undefined, speed: Measurement | undefined): [string, string][] {
  const lines: [string, string][] = [
    ['hone', version()],
    ['Node', machine.node],
    ['platform', machine.platform],
    ['memory', `${gib(machine.memoryBytes)}, ${gib(machine.freeMemoryBytes)} free`],
    ['disk here', `${gib(machine.freeDiskBytes)} free`],
  ]
  if (libtorch) {
    const { version: number, path, source, blas, cpuCapability, instructionSets, threads, features } = libtorch
    const has = Object.entries(features).map(([name, isThere]) => `${name} ${isThere ? 'yes' : 'no'}`)
    lines.push(
      ['libtorch', `${number} in ${path} (${source})`],
      ['BLAS', blas],
      ['kernels', `${cpuCapability}; the processor has ${instructionSets.join(' ') || 'no known extension'}`],
      ['threads', String(threads)],
      ['features', has.join(', ')],
      ['float32 bits', sayBits(libtorch)],
    )
  }
  if (speed)
    lines.push(
      ['float32', `${figure(speed.float32GigaflopsPerSecond)} GFLOP/s`],
      ['bfloat16', `${figure(speed.bfloat16GigaflopsPerSecond)} GFLOP/s`],
      ['memory read', `${figure(speed.readGigabytesPerSecond)} GB/s`],
    )
  return lines
}

/** A run is chaotic: one other bit and its figures are others, within chance. */
function sayBits({ hasKnownBits, version: number, cpuCapability }: Libtorch): string {
  if (!hasKnownBits) return "not those of README's figures: its runs come out otherwise here, within chance"
  return number.startsWith(OF_README.version) && cpuCapability === OF_README.kernels
    ? "as where README's figures were taken: the same seed gives the same run"
    : `our kernels as where README's figures were taken, libtorch's not (${OF_README.version}x with ${OF_README.kernels} there): runs come out otherwise, within chance`
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`
}

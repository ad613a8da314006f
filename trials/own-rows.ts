// npm run trials -- own-rows SEED: rows that the repository does not hold, through the command alone. A library's desk draws
// 1,000 demonstrations, `hone train sft` learns from them for 150 steps, `hone generate` answers 20 prompts about books that no
// demonstration is about. The loss must halve, 18 answers must be in form and 16 hold the prompt's fact; exits 1 if not.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '#errors'
import { type DeskRow, judgeAnswer, libraryDesk, type Verdict } from './worlds/library-desk.ts'

const DEMONSTRATIONS = 1000
const STEPS = 150
const PROMPTS = 20
const LEAST_IN_FORM = 18
const LEAST_RIGHT = 16

const seed = Number(process.argv[2])
if (!Number.isInteger(seed) || seed < 0)
  throw new ConfigError(`expected a seed, a whole number from 0, got ${process.argv[2]}`)
const folder = mkdtempSync(join(tmpdir(), 'hone-own-rows-'))
const run = join(folder, 'run')
try {
  process.exitCode = trial() ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

function trial(): boolean {
  const { demonstrations, unseen } = libraryDesk(seed, { demonstrations: DEMONSTRATIONS, unseen: PROMPTS })
  const losses = train(demonstrations)
  const verdicts = answer(unseen)
  const [first, last] = [losses[0]!, losses.at(-1)!]
  const halves = last <= first / 2
  const inForm = verdicts.filter(({ isInForm }) => isInForm).length
  const right = verdicts.filter(({ isRight }) => isRight).length
  console.log(
    `seed ${seed}: loss ${first.toFixed(3)} at step 1, ${last.toFixed(3)} at step ${losses.length}; halves: ${halves ? 'yes' : 'no'}`,
  )
  console.log(
    `of ${PROMPTS} answers ${inForm} in form (at least ${LEAST_IN_FORM}), ${right} with the right fact (${LEAST_RIGHT})`,
  )
  return halves && inForm >= LEAST_IN_FORM && right >= LEAST_RIGHT
}

/** The loss of each step. */
function train(demonstrations: DeskRow[]): number[] {
  const data = write('demos.jsonl', demonstrations)
  const length = ['--steps', `${STEPS}`, '--seed', `${seed}`]
  const events = hone(['train', 'sft', '--model', 'base', '--data', data, ...length, '--out', run, '--json'])
  return linesOf<{ event: string; loss: number }>(events).flatMap((e) => (e.event === 'step' ? [e.loss] : []))
}

function answer(unseen: DeskRow[]): Verdict[] {
  const prompts = write(
    'prompts.jsonl',
    unseen.map(({ id, prompt }) => ({ id, prompt })),
  )
  const out = join(folder, 'answers.jsonl')
  hone(['generate', '--model', run, '--prompts', prompts, '--temperature', '0', '--out', out])
  return linesOf<{ completion: string }>(readFileSync(out, 'utf8')).map(({ completion }, i) => {
    const row = unseen[i]!
    const verdict = judgeAnswer(row, completion)
    const said = verdict.isRight ? 'right' : verdict.isInForm ? 'in form' : 'neither'
    console.log(`${said.padEnd(8)}${row.prompt.replaceAll('\n', ' | ')}${completion}`)
    return verdict
  })
}

function write(name: string, rows: object[]): string {
  const file = join(folder, name)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return file
}

/** Runs the command as a user would, showing it; answers its standard output. */
function hone(options: string[]): string {
  console.log(`hone ${options.join(' ')}`)
  const done = spawnSync(process.execPath, ['scripts/hone.mjs', ...options], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (done.status !== 0) throw new Error(`hone ended with ${done.status}: ${done.stderr}`)
  return done.stdout
}

function linesOf<T>(text: string): T[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

// The command as people run it: a process of its own, on a tiny random model. From training to a verdict, what is refused,
// and Ctrl-C in the middle of a run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFolder } from '#lm'
import { trainBpe } from '#text'
import { hone } from '../src/cli/index.ts'

const HONE = resolve(import.meta.dirname, '../scripts/hone.mjs')
/** Of processes that start one after the other on a machine with other work. */
const PATIENCE_MS = 240_000
const WORDS = ['red', 'green', 'blue', 'white', 'black']

let folder: string

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-cli-'))
  const lines = Array.from({ length: 40 }, (_, i) => {
    const word = WORDS[i % WORDS.length]!
    return { id: `row-${i}`, prompt: `${i}. What colour is ${word}? It is`, completion: ` ${word}.` }
  })
  const jsonl = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  fs.writeFileSync(join(folder, 'train.jsonl'), jsonl(lines.slice(0, 32)))
  fs.writeFileSync(join(folder, 'held-out.jsonl'), jsonl(lines.slice(32)))
  const texts = lines.map(({ prompt, completion }) => prompt + completion)
  const files = trainBpe({ texts, vocabSize: 300, specials: { pad: '<pad>', eos: '<end>' } })
  const { model } = JSON.parse(files['tokenizer.json']) as { model: { vocab: object } }
  createFolder({
    config: {
      architecture: 'LlamaForCausalLM',
      vocabSize: Object.keys(model.vocab).length,
      hiddenSize: 16,
      intermediateSize: 32,
      layers: 1,
      heads: 2,
      keyValueHeads: 1,
      headDim: 8,
      rmsNormEps: 1e-5,
      ropeTheta: 10_000,
      tieWordEmbeddings: true,
      maxPositionEmbeddings: 64,
      padTokenId: 0,
      eosTokenIds: [1],
      dtype: 'float32',
    },
    seed: 1,
    to: join(folder, 'tiny'),
    extraFiles: files,
  })
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

type Ended = { code: number | null; stdout: string; stderr: string; done: Record<string, unknown> }

function start(args: string[]) {
  const child = spawn(process.execPath, [HONE, ...args], { cwd: folder, env: { ...process.env, HONE_THREADS: '1' } })
  const ended = (async (): Promise<Ended> => {
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    const last = stdout.trimEnd().split('\n').at(-1) ?? ''
    const done = last.startsWith('{"event":"done"') ? (JSON.parse(last) as Record<string, unknown>) : {}
    return { code, stdout, stderr, done }
  })()
  return { child, ended }
}

const run = (...args: string[]) => start(args).ended

const TRAIN = ['train', 'sft', '--model', 'tiny', '--data', 'train.jsonl', '--held-out', 'held-out.jsonl', '--json']

test(
  'a model is trained, answers, is measured, passes or fails its gates, and tells where it came from',
  async () => {
    const trained = await run(...TRAIN, '--out', 'runs/sft', '--steps', '3', '--batch-size', '4')
    expect(trained).toMatchObject({ code: 0, done: { steps: 3, stoppedBy: 'steps' } })
    expect(trained.stdout.match(/^\{"event":"step"/gm)).toHaveLength(4)

    const drawing = ['--max-tokens', '8', '--n', '2']
    const generated = await run(
      'generate',
      '--model',
      'runs/sft',
      '--prompts',
      'held-out.jsonl',
      '--out',
      'o.jsonl',
      ...drawing,
    )
    expect(generated).toMatchObject({ code: 0 })
    const rows = fs.readFileSync(join(folder, 'o.jsonl'), 'utf8').trimEnd().split('\n')
    expect(rows).toHaveLength(16)
    const first = JSON.parse(rows[0]!) as { logprob: number }
    expect(first).toMatchObject({ id: 'row-32', sample: 1, prompt: '32. What colour is blue? It is' })
    expect(first.logprob).toBeLessThan(0)

    const measure = ['evaluate', '--model', 'runs/sft', '--data', 'held-out.jsonl', '--json']
    const [perplexity, exact] = await Promise.all([
      run(...measure, '--metric', 'perplexity', '--out', 'perplexity.json'),
      run(...measure, '--metric', 'exact', '--max-tokens', '8', '--out', 'exact.json'),
    ])
    expect(exact).toMatchObject({ code: 0, done: { metric: 'exact', suite: { name: 'held-out', rows: 8 } } })
    const { value, low, high, n } = (perplexity.done.statistics as Record<string, Record<string, number>>).perplexity!
    expect(n).toBe(8)
    expect(low).toBeLessThan(value!)
    expect(high).toBeGreaterThan(value!)

    const rule = (statistic: string, most: number) => [
      { name: 'fluent', statistic, bound: 'high', comparison: 'below', value: most },
    ]
    fs.writeFileSync(join(folder, 'lax.json'), JSON.stringify(rule('held-out.perplexity', 1e6)))
    fs.writeFileSync(join(folder, 'strict.json'), JSON.stringify(rule('perplexity', 1)))
    const evaluations = ['--evaluation', 'perplexity.json', 'exact.json', '--json']
    const [released, refused] = await Promise.all([
      run('gate', '--rules', 'lax.json', '--out', 'release.json', ...evaluations),
      run('gate', '--rules', 'strict.json', ...evaluations),
    ])
    expect(released).toMatchObject({ code: 0, done: { verdict: 'released', gates: [{ passed: true }] } })
    expect(refused).toMatchObject({ code: 1, done: { verdict: 'refused', gates: [{ passed: false }] } })

    const [down, up] = await Promise.all([
      run('lineage', 'train.jsonl', '--down', '--json'),
      run('lineage', 'release.json', '--up', '--row', 'row-3'),
    ])
    const kinds = (down.done.nodes as { kind: string }[]).map(({ kind }) => kind)
    expect(kinds.sort((a, b) => a.localeCompare(b))).toEqual([
      'evaluation',
      'evaluation',
      'file',
      'model',
      'release',
      'run',
    ])
    expect(up.code).toBe(0)
    expect(up.stdout).toMatch(/data: file train\.jsonl .*\n\s+row 4 .*What colour is white/)

    const doctor = await run('doctor', '--json')
    expect(doctor.code).toBe((doctor.done.problems as string[]).length > 0 ? 1 : 0)
  },
  PATIENCE_MS,
)

describe('what is refused', () => {
  const cases: [why: string, code: number, message: string, args: string[]][] = [
    ['a flag that is none', 2, "unknown option '--stepz'", [...TRAIN, '--out', 'r1', '--stepz', '3']],
    [
      'a file that is not there',
      1,
      '--data: expected a file, got nix.jsonl',
      ['train', 'sft', '--model', 'tiny', '--data', 'nix.jsonl', '--out', 'r2'],
    ],
    ['a model that is not there', 1, '--model: expected a model', ['generate', '--model', 'nix', '--prompt', 'a']],
    ['a setting of no recipe in --config', 1, 'learningrate', [...TRAIN, '--out', 'r3', '--config', 'wrong.json']],
    ['a device beside --resume', 1, '--device would be ignored', ['train', 'sft', '--resume', 'r4', '--device', 'cpu']],
    ['settings beside --resume', 1, '--steps would be ignored', ['train', 'sft', '--resume', 'r4', '--steps', '9']],
    [
      'an interval without what it is an interval of',
      1,
      '--eval-every would be ignored without --held-out',
      ['train', 'sft', '--model', 'tiny', '--data', 'train.jsonl', '--out', 'r5', '--eval-every', '9'],
    ],
    [
      'a mark setting without a judge, in --config',
      1,
      '--mark-pairs would be ignored without --judge',
      [
        'train',
        'ppo',
        '--model',
        'tiny',
        '--data',
        'train.jsonl',
        '--rules',
        'r.json',
        '--config',
        'marks.json',
        '--dry-run',
      ],
    ],
    ['--branch beside --dry-run', 1, '--branch would be ignored', [...TRAIN, '--dry-run', '--branch', 'r6@3']],
    [
      'an option that its metric would ignore',
      1,
      '--pattern would be ignored',
      ['evaluate', '--model', 'tiny', '--data', 'train.jsonl', '--metric', 'exact', '--pattern', 'a'],
    ],
  ]
  test(
    'each says what was expected, in one sentence',
    async () => {
      fs.writeFileSync(join(folder, 'wrong.json'), '{"learningrate":1}')
      fs.writeFileSync(join(folder, 'marks.json'), '{"markPairs":9}')
      fs.writeFileSync(join(folder, 'r.json'), '[]')
      const ended = await Promise.all(cases.map(([, , , args]) => run(...args)))
      for (const [i, [why, code, message]] of cases.entries()) {
        const { stderr, code: got } = ended[i]!
        expect(stderr, why).toContain(message)
        expect(got, why).toBe(code)
        if (code === 1) expect(stderr.trimEnd().split('\n').at(-1), why).toMatch(/^hone: /)
      }
      expect(fs.existsSync(join(folder, 'r1'))).toBe(false)
      expect(fs.existsSync(join(folder, 'r3'))).toBe(false)
    },
    PATIENCE_MS,
  )
})

test(
  'Ctrl-C saves, --resume goes on, and the metrics are those of a run left alone',
  async () => {
    // More events than a pipe holds: the child cannot end before this reader goes on.
    const settings = ['--steps', '500', '--batch-size', '1', '--eval-every', '1000', '--warmup-steps', '1']
    const whole = run(...TRAIN, '--out', 'runs/whole', ...settings)
    const { child, ended } = start([...TRAIN, '--out', 'runs/cut', ...settings])
    await once(child.stdout, 'data')
    child.stdout.pause()
    child.kill('SIGINT')
    child.stdout.resume()
    const { code, stderr } = await ended
    expect(code).toBe(130)
    expect(stderr).toContain('hone train sft --resume')
    expect(await run('train', 'sft', '--resume', 'runs/cut', '--json')).toMatchObject({ code: 0, done: { steps: 500 } })
    expect((await whole).code).toBe(0)
    const metrics = (name: string) => fs.readFileSync(join(folder, name, 'metrics.jsonl'))
    expect(metrics('runs/cut').equals(metrics('runs/whole'))).toBe(true)
    expect(await run('train', 'sft', '--resume', 'runs/cut')).toMatchObject({ code: 1 })
  },
  PATIENCE_MS,
)

test('every command and option of --help has a description, and each command is found by its name', async () => {
  const silent: string[] = []
  const look = (command: Command, path: string) => {
    if (!command.description()) silent.push(path)
    for (const option of command.options) if (!option.description) silent.push(`${path} ${option.flags}`)
    for (const child of command.commands) look(child, `${path} ${child.name()}`)
  }
  const all = await hone()
  look(all, 'hone')
  expect(silent).toEqual([])
  for (const command of all.commands) {
    const alone = (await hone(command.name())).commands.map((each) => each.name())
    expect(alone).toContain(command.name())
    expect(alone.length).toBeLessThanOrEqual(2)
  }
})

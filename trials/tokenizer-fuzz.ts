// Hostile tokenizer.json files, made by mutation: each is used exactly or refused with one DataError, and none hangs.
// `npm run trials -- tokenizer-fuzz FOLDER [COUNT] [SEED]`: FOLDER holds a tokenizer that is in order.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataError } from '#errors'
import { type Generator, generator } from '#stats'
import { loadTokenizer } from '#text'

export type FuzzCounts = { files: number; accepted: number; refused: number; wrong: string[]; slowestMs: number }

const TEXT = "The reading room's 17 seats — don't wait: 9:00 😀 <|end|>\n\tdone"

/** Mutates, loads and tries `count` files; `wrong` says what should not have happened. */
export function fuzzTokenizer({ from, count, seed }: { from: string; count: number; seed: number }): FuzzCounts {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-fuzz-'))
  const file = join(folder, 'tokenizer.json')
  const original = fs.readFileSync(join(from, 'tokenizer.json'), 'utf8')
  fs.copyFileSync(join(from, 'tokenizer_config.json'), join(folder, 'tokenizer_config.json'))
  const random = generator(seed)
  const counts: FuzzCounts = { files: 0, accepted: 0, refused: 0, wrong: [], slowestMs: 0 }
  try {
    for (let i = 0; i < count; i++) {
      fs.rmSync(file, { force: true })
      fs.writeFileSync(file, random.uniform() < 0.3 ? garble(original, random) : mutate(original, random))
      counts.files++
      const start = performance.now()
      try {
        const tokenizer = loadTokenizer(folder)
        const text = tokenizer.decode(tokenizer.encode(TEXT))
        counts.accepted++
        if (text !== (tokenizer.normalises ? TEXT.normalize('NFC') : TEXT)) counts.wrong.push(`file ${i}: gave ${text}`)
      } catch (error) {
        counts.refused++
        if (!(error instanceof DataError)) counts.wrong.push(`file ${i}: ${String(error)}`)
      }
      counts.slowestMs = Math.max(counts.slowestMs, performance.now() - start)
    }
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
  return counts
}

/** Noise in the text: cut, or some characters replaced. */
function garble(text: string, random: Generator): string {
  if (random.uniform() < 0.3) return text.slice(0, random.int(text.length))
  const characters = text.split('')
  for (let n = 1 + random.int(5); n > 0; n--)
    characters[random.int(characters.length)] = random.pick('{}[]",:0a\\\u0000'.split(''))
  return characters.join('')
}

const HOSTILE: unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  0.5,
  2 ** 31,
  1e308,
  '',
  'x',
  '__proto__',
  'Ġ',
  [],
  {},
  [[]],
  ['a', 'b'],
  ['a', 'b', 'c'],
  { type: 'ByteLevel' },
  { type: 'ByteLevel', add_prefix_space: true, use_regex: true },
  { type: 'BPE' },
  { type: 'NFC' },
  { type: 'Split', pattern: { Regex: '(x+x+)+y' }, behavior: 'Isolated' },
  { type: 'Sequence', pretokenizers: [] },
]

/** One to three places of the parsed file changed, removed, doubled or exchanged. */
function mutate(text: string, random: Generator): string {
  const root = JSON.parse(text) as unknown
  for (let n = 1 + random.int(3); n > 0; n--) {
    const { parent, key } = place(root, random)
    const kind = random.int(4)
    if (kind === 0 && !Array.isArray(parent)) delete parent[key]
    else if (kind === 1 && !Array.isArray(parent)) parent[String(random.pick(HOSTILE))] = structuredClone(parent[key])
    else if (kind === 2) parent[key] = structuredClone(parent[random.pick(Object.keys(parent))])
    else parent[key] = structuredClone(random.pick(HOSTILE))
  }
  return JSON.stringify(root)
}

type Parent = Record<string, unknown>

/** A place of the tree, near the root as likely as deep inside. */
function place(root: unknown, random: Generator): { parent: Parent; key: string } {
  let parent = root as Parent
  for (;;) {
    const key = random.pick(Object.keys(parent))
    const inner = parent[key]
    const isEnd = typeof inner !== 'object' || inner === null || Object.keys(inner).length === 0
    if (isEnd || random.uniform() < 0.3) return { parent, key }
    parent = inner as Parent
  }
}

if (process.argv[1] === import.meta.filename) {
  const [from, count = '10000', seed = '1'] = process.argv.slice(2)
  if (from === undefined) throw new Error('expected a folder with tokenizer.json and tokenizer_config.json')
  const start = performance.now()
  const { wrong, ...counts } = fuzzTokenizer({ from, count: Number(count), seed: Number(seed) })
  console.log({ ...counts, wrong: wrong.length, seconds: Number(((performance.now() - start) / 1000).toFixed(1)) })
  for (const line of wrong.slice(0, 10)) console.log(line)
  process.exit(wrong.length === 0 ? 0 : 1)
}

// Holds the table of rooms: who may enter whom, read from the sources. A room is entered by `#room` (its index.ts)
// or `#room/contract`; paths are relative inside a room only.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

const TABLE: Record<string, string[]> = {
  errors: [],
  schema: [],
  stats: [],
  files: [],
  bucket: ['files'],
  hub: ['files'],
  torch: [],
  text: ['schema', 'files'],
  engine: ['schema'],
  lm: ['torch', 'engine', 'text', 'files', 'schema'],
  align: ['engine/contract', 'schema', 'stats'],
  data: ['text', 'schema', 'stats', 'files', 'bucket'],
  feedback: ['schema', 'stats'],
  simulate: ['feedback', 'schema', 'stats'],
  evaluate: ['engine/contract', 'data', 'feedback', 'text', 'schema', 'stats'],
  report: ['diff', 'schema'],
  diff: [],
  lineage: ['data', 'files', 'schema'],
  sampler: ['lm', 'engine', 'text', 'schema', 'stats', 'files'],
  store: ['files', 'schema'],
  server: [
    'diff',
    'schema',
    'stats',
    'text',
    'data',
    'feedback',
    'evaluate',
    'store',
    'files',
    'bucket',
    'lineage',
    'sampler/contract',
  ],
  web: ['diff', 'schema', 'server/contract'],
  trainer: [
    'align',
    'data',
    'engine',
    'evaluate',
    'feedback',
    'files',
    'lineage',
    'lm',
    'schema',
    'stats',
    'store',
    'text',
    'torch',
  ],
  cli: ['*'],
  domains: ['evaluate', 'simulate', 'schema', 'data'],
}

/** Every module specifier of a source text: static, dynamic and re-exports. */
function specifiers(text: string): string[] {
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"\n;]*(?:\n[^'"\n;]*)*?\bfrom\s*['"]([^'"]+)['"]/g)
  const bare = text.matchAll(/(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g)
  const dynamic = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)
  return [...found, ...bare, ...dynamic].map((m) => m[1]!)
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((f) => /\.tsx?$/.test(f) && !/\.test\.tsx?$/.test(f) && !f.includes('node_modules'))
    .map((f) => join(folder, f))
}

function roomOf(file: string): { room: string; folder: string } {
  const parts = relative(ROOT, file).split(sep)
  if (parts[0] === 'domains') return { room: 'domains', folder: join(ROOT, 'domains', parts[1]!) }
  return { room: parts[1]!, folder: join(ROOT, 'src', parts[1]!) }
}

test('rooms enter only the rooms that the table allows, by their public face', () => {
  const wrong: string[] = []
  let read = 0
  for (const file of [...sources(join(ROOT, 'src')), ...sources(join(ROOT, 'domains'))]) {
    const { room, folder } = roomOf(file)
    const allowed = TABLE[room]
    if (!allowed) {
      wrong.push(`${relative(ROOT, file)}: room ${room} is not in the table`)
      continue
    }
    for (const specifier of specifiers(readFileSync(file, 'utf8'))) {
      read++
      if (specifier.startsWith('.')) {
        const target = resolve(file, '..', specifier)
        if (!target.startsWith(folder + sep)) wrong.push(`${relative(ROOT, file)}: leaves its room by ${specifier}`)
        if (!/\.(tsx?|json|css)$/.test(specifier)) wrong.push(`${relative(ROOT, file)}: ${specifier} lacks its .ts`)
      } else if (specifier.startsWith('#')) {
        const target = specifier.slice(1)
        const entered = target.startsWith('domains/') ? 'domains' : target
        const isAllowed =
          allowed.includes('*') ||
          entered === 'errors' ||
          allowed.includes(entered) ||
          (entered.endsWith('/contract') && allowed.includes(entered.split('/')[0]!))
        if (!isAllowed) wrong.push(`${relative(ROOT, file)}: ${room} may not enter ${specifier}`)
      }
    }
  }
  expect(read).toBeGreaterThan(0)
  expect(wrong).toEqual([])
})

test('what learns from judgements reaches no simulated gold, by no detour', () => {
  const reached = new Set(['feedback', 'align'])
  for (const room of reached)
    for (const entered of TABLE[room]!) if (!entered.endsWith('/contract')) reached.add(entered)
  expect([...reached].sort()).toEqual(['align', 'feedback', 'schema', 'stats'])
})

test('the reader of imports sees every form', () => {
  const text =
    "import a from '#a'\nimport type {\n  b,\n} from '#b'\nexport * from './c.ts'\nimport '#d'\nconst e = await import('#e')\n"
  expect(specifiers(text).sort()).toEqual(['#a', '#b', '#d', '#e', './c.ts'])
})

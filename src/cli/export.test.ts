import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError, DataError } from '#errors'
import { runCommand } from './command.test-data.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'

const root = mkdtempSync(join(tmpdir(), 'hone-cli-export-'))
afterAll(() => rmSync(root, { recursive: true }))

const hone = (...args: string[]) => runCommand([importCommand, exportCommand], args)

test('the bundled base as a bfloat16 folder, with its tokenizer', async () => {
  const to = join(root, 'folder')
  const done = await hone('export', 'base', '--out', to, '--dtype', 'bfloat16')
  expect(done).toMatchObject({ event: 'done', folder: to })
  expect(JSON.parse(readFileSync(join(to, 'config.json'), 'utf8'))).toMatchObject({ torch_dtype: 'bfloat16' })
  for (const name of ['model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    expect(existsSync(join(to, name))).toBe(true)
})

test.each([
  [['base', '--gguf', 'F16', '--out', 'x.gguf'], 'llama.cpp has no name for the way'],
  [['base', '--gguf', 'F16', '--out', 'x'], '--out: expected a file that ends in .gguf, got x'],
  [['base', '--out', 'x.gguf'], '--out: expected a folder; give --gguf for a GGUF file, got x.gguf'],
  [['base', '--gguf', 'Q4_0', '--out', 'x.gguf'], '--gguf: expected F32, F16, BF16, Q8_0, got Q4_0'],
  [['base', '--gguf', 'F16', '--dtype', 'float16', '--out', 'x.gguf'], '--dtype would be ignored'],
  [['nowhere', '--out', 'x'], 'expected a model'],
])('export %j is refused', async (args, message) => {
  await expect(hone('export', ...args)).rejects.toThrow(ConfigError)
  await expect(hone('export', ...args)).rejects.toThrow(message)
  expect(existsSync('x.gguf')).toBe(false)
})

test('import refuses what is no GGUF, and never opens a pickle', async () => {
  const file = join(root, 'a.gguf')
  await expect(hone('import', file, '--out', join(root, 'b'))).rejects.toThrow('cannot be opened; expected a GGUF file')
  writeFileSync(file, 'not a model at all, but long enough to have a header')
  await expect(hone('import', file, '--out', join(root, 'b'))).rejects.toThrow(DataError)
  await expect(hone('import', 'pytorch_model.bin', '--out', join(root, 'b'))).rejects.toThrow(ConfigError)
})

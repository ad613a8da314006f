import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addon } from './addon.ts'
import {
  addScalar,
  argmax,
  cat,
  clamp,
  forbidLeaks,
  fromArray,
  full,
  item,
  logSigmoid,
  logsumexp,
  ones,
  scope,
  slice,
  softmax,
  sort,
  splitWithSizes,
  toFloat32,
  toInt32,
  zeros,
} from './index.ts'
import { OP_LIST } from './op-list.ts'
import { isSameRow, opFunction, parseSchema } from './rows.ts'

forbidLeaks({ beforeEach, afterEach })

test('every row of the generated files agrees with the schema of the loaded library', () => {
  const text = ['ops.ts', 'kernel-ops.ts'].map((f) => readFileSync(join(import.meta.dirname, f), 'utf8')).join('')
  const written = new Map([...text.matchAll(/\/\*\* (\S+?)(\(.*) \*\//g)].map((m) => [m[1]!, `${m[1]}${m[2]}`]))
  expect(written.size).toBe(OP_LIST.length)
  for (const [schema, functionName] of OP_LIST) {
    const [name, overload = ''] = schema.split('.')
    const loaded = addon().schema(name!, overload)
    expect(loaded, schema).toBeDefined()
    const row = parseSchema(written.get(schema)!)
    expect(isSameRow(row, parseSchema(loaded!)), `${written.get(schema)} against ${loaded}`).toBe(true)
    expect(text).toContain(`export function ${functionName}(`)
  }
})

test('a schema becomes a function: keyword-only and defaulted booleans are options, the rest positional', () => {
  const text =
    'aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)'
  const schema = parseSchema(text)
  expect(schema.arguments.map((a) => a.type)).toEqual(['Tensor', 'int', 'int', 'bool', 'bool'])
  expect(schema.returns).toEqual(['Tensor', 'Tensor'])
  expect(opFunction(schema, { text, functionName: 'topk', index: 3 })).toBe(
    `/** ${text} */
export function topk(self: Tensor, k: number, dim?: number, { largest, sorted }: { largest?: boolean; sorted?: boolean } = {}): [Tensor, Tensor] {
  return wrapAll(addon().call(3, self.handle, k, dim, largest, sorted) as number[]) as [Tensor, Tensor]
}
`,
  )
})

test('rows of two libraries agree when only a defaulted argument at the end was added', () => {
  const row = parseSchema('a::b(Tensor self, int[1] dim, *, ScalarType? dtype=None) -> Tensor')
  expect(
    isSameRow(row, parseSchema('a::b(Tensor self, int[] dim, *, ScalarType? dtype=None, int x=0) -> Tensor')),
  ).toBe(true)
  expect(isSameRow(row, parseSchema('a::b(Tensor self, int[1]? dim, *, ScalarType? dtype=None) -> Tensor'))).toBe(true)
  expect(isSameRow(row, parseSchema('a::b(Tensor self, *, ScalarType? dtype=None) -> Tensor'))).toBe(false)
  expect(isSameRow(row, parseSchema('a::b(Tensor self, int[1] dim, *, ScalarType? dtype=None, int x) -> Tensor'))).toBe(
    false,
  )
  expect(isSameRow(row, parseSchema('a::b(Tensor self, int[1] dim, *, ScalarType? dtype=None) -> Tensor[]'))).toBe(
    false,
  )
})

test('what makes tensors from nothing makes float32 unless told otherwise', () => {
  scope(() => {
    expect([zeros([2]), ones([2]), full([2], 1)].map((t) => t.dtype)).toEqual(['float32', 'float32', 'float32'])
    expect(full([2], 1, { dtype: 'int64' }).dtype).toBe('int64')
  })
})

test('lists, options, tuples, scalars and nulls cross the border', () => {
  scope(() => {
    const x = fromArray(Float32Array.of(3, 1, 2, 5, 4, 0), [2, 3])
    expect(toFloat32(cat([x, x], 1))).toEqual(Float32Array.of(3, 1, 2, 3, 1, 2, 5, 4, 0, 5, 4, 0))
    const [values, places] = sort(x, 1, { descending: true })
    expect(toFloat32(values)).toEqual(Float32Array.of(3, 2, 1, 5, 4, 0))
    expect(toInt32(places)).toEqual(Int32Array.of(0, 2, 1, 0, 1, 2))
    expect(splitWithSizes(x, [1, 2], 1).map((t) => t.shape)).toEqual([
      [2, 1],
      [2, 2],
    ])
    expect(toFloat32(clamp(x, null, 3))).toEqual(Float32Array.of(3, 1, 2, 3, 3, 0))
    expect(toFloat32(slice(x, 1, 1))).toEqual(Float32Array.of(1, 2, 4, 0))
    expect(item(argmax(x))).toBe(3)
    expect(toFloat32(addScalar(x, 0.5))[0]).toBe(3.5)
  })
})

test('softmax, log-sum-exp and log-sigmoid hold at extremes', () => {
  scope(() => {
    const x = fromArray(Float32Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 1e4 : -1e4)))
    expect([...toFloat32(softmax(x, 0))].every(Number.isFinite)).toBe(true)
    expect(item(logsumexp(x, [0]))).toBeCloseTo(1e4 + Math.log(500), 2)
    expect([...toFloat32(logSigmoid(x))].slice(0, 2).map((y) => y + 0)).toEqual([0, -1e4])
  })
})

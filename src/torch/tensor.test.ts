import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EngineError } from '#errors'
import { addon } from './addon.ts'
import {
  add,
  fromArray,
  forbidLeaks,
  keep,
  liveTensors,
  manualGenerator,
  mm,
  mul,
  ones,
  randn,
  scope,
  Tensor,
  toFloat32,
  zeros,
} from './index.ts'

forbidLeaks({ beforeEach, afterEach })

test('a scope frees what it made but what it returns, in any nesting of arrays, objects and maps', () => {
  const before = liveTensors()
  const outer = ones([2])
  const kept = scope(() => {
    const a = add(outer, outer)
    const lost = mul(a, a)
    const inner = scope(() => {
      mul(lost, lost)
      return { list: [add(a, a)], byName: new Map([['b', mul(a, outer)]]) }
    })
    return inner
  })
  expect(liveTensors()).toBe(before + 3)
  expect(toFloat32(kept.list[0]!)).toEqual(Float32Array.of(4, 4))
  expect(toFloat32(kept.byName.get('b')!)).toEqual(Float32Array.of(2, 2))
  for (const t of [outer, kept.list[0]!, kept.byName.get('b')!]) t.free()
})

test('a scope frees on throw, keeps what is kept, and refuses promises', () => {
  const before = liveTensors()
  let survivor: Tensor | undefined
  expect(() =>
    scope(() => {
      survivor = keep(zeros([3]))
      zeros([4])
      throw new Error('stop')
    }),
  ).toThrow('stop')
  expect(liveTensors()).toBe(before + 1)
  expect(toFloat32(survivor!)).toEqual(new Float32Array(3))
  survivor!.free()
  expect(() => scope(() => Promise.resolve(zeros([2])))).toThrow('synchronous')
})

test('returning a tensor of an outer scope leaves it there', () => {
  const outer = ones([2])
  scope(() => {
    const middle = ones([1])
    scope(() => [outer, middle])
    expect(toFloat32(middle)).toEqual(Float32Array.of(1))
  })
  expect(toFloat32(outer)).toEqual(Float32Array.of(1, 1))
  outer.free()
})

test('a freed tensor is an error, never the tensor that took its place', () => {
  const old = ones([2])
  old.free()
  old.free()
  const next = zeros([5])
  expect(() => add(old, next)).toThrow(EngineError)
  expect(() => add(old, next)).toThrow(
    /aten::add\.Tensor\(self a freed tensor, other float32\[5\] cpu\): the tensor was freed/,
  )
  expect(() => old.shape).toThrow(/freed/)
  expect(toFloat32(next)).toEqual(new Float32Array(5))
  next.free()
})

test('a place that was used 10,000 times still knows old handles', () => {
  const first = ones([1])
  first.free()
  for (let i = 0; i < 10_000; i++) zeros([1]).free()
  expect(() => toFloat32(first)).toThrow(/freed/)
})

test('errors name the op, its shapes, dtypes and device', () => {
  scope(() => {
    const a = ones([2, 3])
    const b = ones([4, 5], { dtype: 'float64' })
    expect(() => mm(a, b)).toThrow(EngineError)
    expect(() => mm(a, b)).toThrow(/^aten::mm\(self float32\[2, 3\] cpu, mat2 float64\[4, 5\] cpu\): /)
    expect(() => ones([-1])).toThrow(/aten::ones/)
    expect(() => ones([1.5])).toThrow(/whole number/)
    expect(() => ones([2], { device: 'cuda:99' })).toThrow(EngineError)
    expect(() => add(a, undefined as unknown as Tensor)).toThrow(TypeError)
    expect(() => add(a, new Tensor(Number.NaN))).toThrow(EngineError)
    expect(() => add(a, new Tensor(-5))).toThrow(EngineError)
  })
})

test('a native call with wrong arguments is an error, not a crash', () => {
  const native = addon() as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const [name, fn] of Object.entries(native)) {
    if (name === 'start' || name === 'setGradMode' || name.endsWith('Scope')) continue
    for (const bad of ['x', {}, [{}], Symbol('s'), 1e300, -1, Number.NaN, undefined])
      try {
        fn(bad, bad, bad, bad)
      } catch (error) {
        expect(error, name).toBeInstanceOf(EngineError)
      }
  }
  expect(() => native.leaveScope!([])).toThrow(EngineError)
  expect(() => native.call!(1e6)).toThrow(EngineError)
})

test('generators of one seed draw the same numbers, of others do not', () => {
  scope(() => {
    const draw = (seed: number) => {
      const generator = manualGenerator(seed)
      const numbers = [...toFloat32(randn([1000], generator)), ...toFloat32(randn([10], generator))]
      generator.free()
      return numbers
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })
})

test('the collector frees what no scope held', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const before = liveTensors()
  ;(() => {
    for (let i = 0; i < 100; i++) fromArray(new Float32Array(10))
  })()
  expect(liveTensors()).toBe(before + 100)
  for (let i = 0; i < 50 && liveTensors() > before; i++) {
    collect()
    await new Promise((done) => setImmediate(done))
  }
  expect(liveTensors()).toBe(before)
})

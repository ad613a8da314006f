import { afterEach, beforeEach, expect, test } from 'vitest'
import { EngineError } from '#errors'
import {
  add_,
  backward,
  embedding,
  forbidLeaks,
  fromArray,
  gradients,
  manualGenerator,
  mm,
  mul,
  noGrad,
  randn,
  scope,
  sum,
  tanh,
  toFloat32,
  toFloat64,
} from './index.ts'

forbidLeaks({ beforeEach, afterEach })

test('backward with given output gradients equals finite differences, 1,000 elements', () => {
  scope(() => {
    const generator = manualGenerator(1)
    const make = (...shape: number[]) => randn(shape, generator, { dtype: 'float64' })
    const [x, w, up, direction] = [make(40, 25), make(25, 8), make(40, 8), make(40, 25)]
    generator.free()
    const f = (shift: number) =>
      toFloat64(sum(mul(tanh(mm(add_(mul(direction, fromArray(Float64Array.of(shift), [])), x), w)), up)))[0]!
    const expected = (f(1e-6) - f(-1e-6)) / 2e-6
    x.requiresGrad = true
    backward([tanh(mm(x, w))], [up])
    const slope = toFloat64(sum(mul(x.grad!, direction)))[0]!
    expect(Math.abs(slope - expected)).toBeLessThan(1e-6 * Math.abs(expected))
  })
})

test('gradients sum into leaves until they are dropped', () => {
  scope(() => {
    const x = fromArray(Float32Array.of(1, 2, 3))
    x.requiresGrad = true
    expect(x.grad).toBe(null)
    const square = () => mul(x, x)
    backward([square()], [fromArray(Float32Array.of(1, 1, 1))])
    backward([sum(square())])
    expect(toFloat32(x.grad!)).toEqual(Float32Array.of(4, 8, 12))
    x.grad = null
    expect(x.grad).toBe(null)
    x.grad = fromArray(Float32Array.of(1, 1, 1))
    backward([sum(square())])
    expect(toFloat32(x.grad!)).toEqual(Float32Array.of(3, 5, 7))
  })
})

test('gradients answers without touching the leaves', () => {
  scope(() => {
    const x = fromArray(Float32Array.of(3))
    x.requiresGrad = true
    const [g] = gradients([mul(x, x)], [x])
    expect(toFloat32(g!)).toEqual(Float32Array.of(6))
    expect(x.grad).toBe(null)
  })
})

test('noGrad records nothing and is over after a throw', () => {
  scope(() => {
    const x = fromArray(Float32Array.of(3))
    x.requiresGrad = true
    expect(noGrad(() => mul(x, x)).requiresGrad).toBe(false)
    expect(() =>
      noGrad(() => {
        throw new Error('stop')
      }),
    ).toThrow('stop')
    expect(mul(x, x).requiresGrad).toBe(true)
  })
})

test('an embedding row that is read twice gets both gradients', () => {
  scope(() => {
    const table = fromArray(Float32Array.of(1, 2, 3, 4), [2, 2])
    table.requiresGrad = true
    backward([embedding(table, fromArray(Int32Array.of(1, 1)))], [fromArray(Float32Array.of(1, 2, 10, 20), [2, 2])])
    expect(toFloat32(table.grad!)).toEqual(Float32Array.of(0, 0, 11, 22))
  })
})

test('what cannot be differentiated is an EngineError', () => {
  scope(() => {
    const x = fromArray(Float32Array.of(3, 4))
    expect(() => backward([mul(x, x)], [x])).toThrow(EngineError)
    x.requiresGrad = true
    expect(() => backward([mul(x, x)])).toThrow(/scalar/)
    const y = mul(x, x)
    backward([sum(y)])
    expect(() => backward([sum(y)])).toThrow(EngineError)
  })
})

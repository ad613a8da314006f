import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Sequence } from '#engine/contract'
import { checkSequences, pack, planBatches } from './packing.ts'

const lengths = fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }), { maxLength: 12 })

test('every sequence is planned once, in order; whole groups fit the budget; larger groups are cut between sequences', () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 10, max: 60 }), (groups, budget) => {
      const sequences = groups.map((group) => group.map((length) => sequence(length)))
      const batches = planBatches(sequences, budget)
      const order = batches.flatMap(({ chunks }) => chunks.flat().map(({ group, index }) => `${group}.${index}`))
      expect(order).toEqual(groups.flatMap((group, g) => group.map((_, i) => `${g}.${i}`)))
      for (const { chunks } of batches) {
        const groupsHere = new Set(chunks.flat().map((item) => item.group))
        for (const g of groupsHere)
          expect(chunks.flat().filter((item) => item.group === g).length).toBe(groups[g]!.length)
        if (chunks.length > 1) expect(groupsHere.size).toBe(1)
        for (const chunk of chunks) {
          const tokens = chunk.reduce((sum, item) => sum + item.sequence.tokens.length, 0)
          if (chunk.length > 1) expect(tokens).toBeLessThanOrEqual(budget)
        }
      }
    }),
  )
})

test('rows that are read are those before scored tokens, the last, and what score heads read', () => {
  const items = [
    { group: 0, index: 0, sequence: sequence(5, [2, 3]) },
    { group: 1, index: 0, sequence: { ...sequence(4, []), scoreAt: Int32Array.of(0, 2) } },
  ]
  const packed = pack(items, 'last', { shares: true })
  expect([...packed.offsets]).toEqual([0, 5, 9])
  expect([...packed.positions_T]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3])
  expect([...packed.rows_R]).toEqual([1, 2, 4, 5, 7, 8])
  expect([...packed.before_S]).toEqual([0, 1])
  expect([...packed.targets_S]).toEqual([2, 3])
  expect([...packed.last_N]).toEqual([2, 5])
  expect([...packed.scoreRows]).toEqual([2, 3, 4])
  expect([...packed.scoreOffsets]).toEqual([0, 1, 3])
})

test('a sum head reads every scored token', () => {
  const packed = pack([{ group: 0, index: 0, sequence: sequence(5, [2, 3]) }], 'sum', { shares: true })
  expect([...packed.rows_R]).toEqual([1, 2, 3, 4])
  expect([...packed.scoreRows].map((place) => packed.rows_R[place])).toEqual([2, 3])
})

test('what neighbours begin with is laid once, and every sequence reads its own rows', () => {
  const common = Array.from({ length: 20 }, (_, t) => t % 7)
  const item = (group: number, own: number[], scoredFrom: number) => {
    const tokens = Int32Array.from([...common, ...own])
    return {
      group,
      index: 0,
      sequence: { tokens, isScored: Uint8Array.from(tokens, (_, t) => Number(t >= scoredFrom)) },
    }
  }
  const items = [item(0, [1, 2], 20), item(0, [1, 3, 4], 20), item(1, [5], 20), item(2, [5], 3)]
  const packed = pack(items, 'last', { shares: true })
  expect([...packed.stems]).toEqual([-1, 0, 0, 0, -1])
  expect([...packed.offsets]).toEqual([0, 20, 22, 25, 26, 47])
  expect([...packed.positions_T.subarray(20, 26)]).toEqual([20, 21, 20, 21, 22, 20])
  const before = (n: number): number[] =>
    [...packed.before_S.subarray(packed.scoredOffsets[n], packed.scoredOffsets[n + 1])].map((r) => packed.rows_R[r]!)
  // The first scored token of each is predicted from the stem's last row.
  expect([before(0), before(1), before(2)]).toEqual([[19, 20], [19, 22, 23], [19]])
  expect([...packed.last_N].map((place) => packed.rows_R[place])).toEqual([21, 24, 25, 46])
  const apart = pack(items, 'last', { shares: false })
  expect(apart.tokens_T.length).toBe(22 + 23 + 21 + 21)
  expect(apart.targets_S).toEqual(packed.targets_S)
})

test('few common tokens, scored ones and equal sequences: nothing is shared but what spares and leaves each its own token', () => {
  const same = sequence(30, [29])
  const items = [same, same, sequence(10), sequence(10), sequence(30, [5])].map((s, group) => ({
    group,
    index: 0,
    sequence: s,
  }))
  const packed = pack(items, 'last', { shares: true })
  expect([...packed.stems]).toEqual([-1, 0, 0, -1, -1, -1])
  expect([...packed.offsets]).toEqual([0, 29, 30, 31, 41, 51, 81])
})

test.each([
  [{ tokens: new Int32Array(), isScored: new Uint8Array() }, /sequence 0 of group 1: expected at least one token/],
  [{ tokens: Int32Array.of(1, 2), isScored: Uint8Array.of(1) }, /isScored has 1 entries for 2 tokens/],
  [{ tokens: Int32Array.of(1, 2), isScored: Uint8Array.of(1, 0) }, /first token is scored/],
  [{ tokens: Int32Array.of(1, 9), isScored: Uint8Array.of(0, 1) }, /token 9 is outside the vocabulary of 9/],
  [{ tokens: new Int32Array(11), isScored: new Uint8Array(11) }, /11 tokens, but the model reads at most 10/],
  [{ ...sequence(2), scoreAt: Int32Array.of(2) }, /scoreAt 2 is outside its 2 tokens/],
])('what no pass can answer is refused with its place', (bad, message) => {
  expect(() => checkSequences([[sequence(3)], [bad]], { vocabulary: 9, maxTokens: 10 })).toThrow(message)
})

function sequence(length: number, scored: number[] = []): Sequence {
  const isScored = new Uint8Array(length)
  for (const t of scored) isScored[t] = 1
  return { tokens: Int32Array.from({ length }, (_, t) => t % 9), isScored }
}

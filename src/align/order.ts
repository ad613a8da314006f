// Which rows a step sees: a pure function of the seed and the step, so that a resumed run needs no cursor but its step.
import { deriveSeed, generator } from '#stats'

/**
 * Rows step * size .. step * size + size - 1 of the endless stream made of one fresh permutation of 0..count-1 after
 * another; a step may straddle two passes.
 */
export function rowsOfStep({
  seed,
  purpose,
  step,
  size,
  count,
}: {
  seed: number
  purpose: string
  step: number
  size: number
  count: number
}): number[] {
  const rows: number[] = []
  let epoch = -1
  let order: number[] = []
  for (let at = step * size; at < (step + 1) * size; at++) {
    if (Math.floor(at / count) !== epoch) {
      epoch = Math.floor(at / count)
      order = permutation(deriveSeed(seed, purpose, epoch), count)
    }
    rows.push(order[at % count]!)
  }
  return rows
}

/** 0..count-1 in an order that depends on the seed alone. */
export function permutation(seed: number, count: number): number[] {
  return generator(seed).shuffle(Array.from({ length: count }, (_, i) => i))
}

/** Steps of a run: as given, or as many as the passes over `count` rows take. */
export function stepsOf(
  { steps, epochs, batchSize }: { steps?: number | undefined; epochs?: number | undefined; batchSize: number },
  { count, epochsUnlessGiven }: { count: number; epochsUnlessGiven: number },
): number {
  return steps ?? Math.max(1, Math.ceil(((epochs ?? epochsUnlessGiven) * count) / batchSize))
}

// Spherical k-means (Dhillon and Modha, Machine Learning 2001) with k-means++ beginnings (Arthur and Vassilvitskii 2007) in
// the distance 1 - cosine: a few beginnings, and the one kept whose points lie closest to their centres. All draws follow
// from the seed.
import { deriveSeed, generator, type Generator } from '#stats'
import type { WordVector } from './word-vectors.ts'

/** `k` unit directions; the weights of one word in all of them stand together, since points have few words. */
export type Centres = { k: number; weights: Float64Array }

const BEGINNINGS = 3
/** Fewer points are strays and no cluster: they go to the next centre. */
const FEWEST_POINTS = 3
/** It has nearly always settled by the tenth. */
const MOST_ROUNDS = 20

/** At most `k`: fewer where the points are fewer or alike. Points must not be empty vectors. */
export function sphericalKMeans(
  points: readonly WordVector[],
  { k, width, seed }: { k: number; width: number; seed: number },
): Centres {
  let best: { centres: Centres; closeness: number } = { centres: { k: 0, weights: new Float64Array() }, closeness: -1 }
  for (let i = 0; i < BEGINNINGS; i++) {
    const random = generator(deriveSeed(seed, 'clusters', i))
    const settled = settle(points, centresAt(beginning(points, k, random), width))
    if (settled.closeness > best.closeness) best = settled
  }
  return withoutStrays(points, best.centres)
}

function withoutStrays(points: readonly WordVector[], centres: Centres): Centres {
  const { k, weights } = centres
  const sizes = new Uint32Array(k)
  for (const point of points) sizes[nearestCentre(point, centres).at]!++
  const large = [...sizes.keys()].filter((at) => sizes[at]! >= FEWEST_POINTS)
  if (large.length === 0) return centres
  const kept = new Float64Array((weights.length / k) * large.length)
  for (let i = 0; i < kept.length; i++) {
    const word = Math.floor(i / large.length)
    kept[i] = weights[word * k + large[i % large.length]!]!
  }
  return { k: large.length, weights: kept }
}

/** The centre nearest to a point, and how near; `at` is -1 where there is no centre. */
export function nearestCentre(
  { words, weights }: WordVector,
  { k, weights: all }: Centres,
): { at: number; similarity: number } {
  const sums = new Float64Array(k)
  for (let i = 0; i < words.length; i++) {
    const [from, weight] = [words[i]! * k, weights[i]!]
    for (let at = 0; at < k; at++) sums[at]! += weight * all[from + at]!
  }
  let [at, similarity] = [-1, -1]
  for (let i = 0; i < k; i++) if (sums[i]! > similarity) [at, similarity] = [i, sums[i]!]
  return { at, similarity }
}

/** Points far from each other: each drawn by its distance from those before. */
function beginning(points: readonly WordVector[], k: number, random: Generator): WordVector[] {
  const distances = new Float64Array(points.length).fill(1)
  const drawn: WordVector[] = []
  while (drawn.length < k) {
    const total = distances.reduce((sum, distance) => sum + distance, 0)
    // What is left lies on a drawn one already.
    if (total < 1e-9 * points.length) break
    const point = points[drawBy(distances, total * random.uniform())]!
    drawn.push(point)
    const weights = new Map(Array.from(point.words, (word, i) => [word, point.weights[i]!]))
    for (const [i, other] of points.entries()) {
      let cosine = 0
      for (let j = 0; j < other.words.length; j++) cosine += other.weights[j]! * (weights.get(other.words[j]!) ?? 0)
      distances[i] = Math.max(0, Math.min(distances[i]!, 1 - cosine))
    }
  }
  return drawn
}

/** The index at which the running sum passes `reach`. */
function drawBy(weights: Float64Array, reach: number): number {
  let sum = 0
  const found = weights.findIndex((weight) => (sum += weight) > reach)
  // The sum rounds.
  return found === -1 ? weights.length - 1 : found
}

function centresAt(points: readonly WordVector[], width: number): Centres {
  const k = points.length
  const weights = new Float64Array(width * k)
  for (const [at, point] of points.entries())
    for (let i = 0; i < point.words.length; i++) weights[point.words[i]! * k + at] = point.weights[i]!
  return { k, weights }
}

function settle(points: readonly WordVector[], beginnings: Centres): { centres: Centres; closeness: number } {
  const sides = new Int32Array(points.length).fill(-1)
  let centres = beginnings
  let closeness = 0
  for (let round = 0; round < MOST_ROUNDS; round++) {
    closeness = 0
    let moved = 0
    for (const [i, point] of points.entries()) {
      const { at, similarity } = nearestCentre(point, centres)
      closeness += similarity
      if (sides[i] !== at) moved++
      sides[i] = at
    }
    if (moved === 0) break
    centres = recentred(points, sides, centres)
  }
  return { centres, closeness }
}

/** Each centre to the direction of the sum of its points; one without points stays. */
function recentred(points: readonly WordVector[], sides: Int32Array, { k, weights: old }: Centres): Centres {
  const weights = new Float64Array(old.length)
  for (const [i, point] of points.entries())
    for (let j = 0; j < point.words.length; j++) weights[point.words[j]! * k + sides[i]!]! += point.weights[j]!
  const squares = new Float64Array(k)
  for (let i = 0; i < weights.length; i++) squares[i % k]! += weights[i]! ** 2
  for (let i = 0; i < weights.length; i++) {
    const square = squares[i % k]!
    weights[i] = square > 0 ? weights[i]! / Math.sqrt(square) : old[i]!
  }
  return { k, weights }
}

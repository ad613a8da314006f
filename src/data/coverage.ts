// Where demonstrations are missing: prompts in clusters of like words, and how many demonstrations each cluster has. A
// prompt counts as covered when a demonstration of any cluster has a prompt at or above a cosine (TF-IDF). By words alone,
// without a model: what is asked in other words counts as something else.
import { deriveSeed, generator } from '#stats'
import { type Centres, nearestCentre, sphericalKMeans } from './clusters.ts'
import type { Kind, RowOf } from './normalise.ts'
import { folded, promptText } from './texts.ts'
import { likeness, type WordSpace, wordSpace, type WordVector } from './word-vectors.ts'

export type CoverageOptions = {
  seed: number
  /** Cosine in (0, 1] from which a demonstration covers a prompt. */
  similarity: number
}
type Counts = { prompts: number; demonstrations: number; covered: number }
export type Cluster = Counts & {
  /** Those by which it differs most from all prompts; none for prompts that share no word with another. */
  words: string[]
  /** Prompts near its middle, first those that are not covered. */
  examples: { text: string; isCovered: boolean }[]
}
export type Coverage = Counts & {
  /** First those without demonstrations, the most uncovered prompts first; then by the share that is covered. */
  clusters: Cluster[]
  /** Demonstrations of no cluster: their prompts share no word with any. */
  outside: number
  /** By name, where rows have any. */
  strata: (Counts & { stratum: string })[]
}

type Row = RowOf[Kind]
type Asked = { text: string; stratum: string | undefined }

/** Of so many a picture is still taken in. */
const MOST_CLUSTERS = 40
/** Clusters are found among so many, and all prompts then go to them. */
const MOST_FITTED = 5000
const MOST_WORDS = 6
const MOST_EXAMPLES = 3
const MOST_CHARACTERS = 400
/** Of a cosine with itself. */
const ROUNDING = 1e-9

/** Prompts are counted once each, however many rows have them; demonstrations all. */
export function coverage(
  prompts: Iterable<Row>,
  demonstrations: Iterable<Row>,
  { seed, similarity }: CoverageOptions,
): Coverage {
  const asked = distinct(prompts)
  const answered = Array.from(
    demonstrations,
    (row): Asked => ({ text: promptText(row.prompt), stratum: stratumOf(row) }),
  )
  const map = mapOf(asked, seed)
  // Of the words of both, so that a demonstration of the very same words is near.
  const joint = wordSpace([...asked, ...answered].map(({ text }) => text))
  const isNear = nearFinder(
    answered.map(({ text }) => joint.vectorOf(text)),
    similarity,
  )
  const all = noCounts()
  const strata = new Map<string, Counts>()
  let outside = 0
  const countsIn = (place: Place | undefined, stratum: string | undefined): Counts[] => {
    if (stratum !== undefined && !strata.has(stratum)) strata.set(stratum, noCounts())
    return [all, place, stratum === undefined ? undefined : strata.get(stratum)].filter(
      (counts) => counts !== undefined,
    )
  }
  for (const { text, stratum } of answered) {
    const { place } = placeOf(map, text)
    if (!place) outside++
    for (const counts of countsIn(place, stratum)) counts.demonstrations++
  }
  const alone = newPlace([])
  for (const { text, stratum } of asked) {
    const { place = alone, closeness } = placeOf(map, text)
    const isCovered = isNear(joint.vectorOf(text))
    for (const counts of countsIn(place, stratum)) {
      counts.prompts++
      if (isCovered) counts.covered++
    }
    keepExample(place.examples, { text, isCovered, closeness })
  }
  const filled = [...map.places, alone].filter((place) => place.prompts > 0)
  return {
    ...all,
    clusters: filled.sort(emptiestFirst).map(shown),
    outside,
    strata: [...strata]
      .map(([stratum, counts]) => ({ stratum, ...counts }))
      .sort((a, b) => emptiestFirst(a, b) || (a.stratum < b.stratum ? -1 : 1)),
  }
}

function distinct(rows: Iterable<Row>): Asked[] {
  const found = new Map<string, Asked>()
  for (const row of rows) {
    const text = promptText(row.prompt)
    const key = folded(text)
    if (key !== '' && !found.has(key)) found.set(key, { text, stratum: stratumOf(row) })
  }
  return [...found.values()]
}

function stratumOf(row: Row): string | undefined {
  return 'stratum' in row ? row.stratum : undefined
}

function sampleOf(asked: readonly Asked[], seed: number): readonly Asked[] {
  if (asked.length <= MOST_FITTED) return asked
  return generator(deriveSeed(seed, 'coverage sample')).shuffle(asked).slice(0, MOST_FITTED)
}

/** The usual rule of thumb: the square root of half as many. */
function clustersFor(points: number): number {
  return Math.min(MOST_CLUSTERS, Math.round(Math.sqrt(points / 2)))
}

type Example = { text: string; isCovered: boolean; closeness: number }
/** A cluster that is being filled. */
type Place = Counts & { words: string[]; examples: Example[] }
type WordMap = { space: WordSpace; centres: Centres; places: Place[] }

function mapOf(asked: readonly Asked[], seed: number): WordMap {
  const space = wordSpace(asked.map(({ text }) => text))
  const fitted = sampleOf(asked, seed)
    .map(({ text }) => space.vectorOf(text))
    .filter(({ words }) => words.length > 0)
  const width = space.vocabulary.length
  const centres = sphericalKMeans(fitted, { k: clustersFor(fitted.length), width, seed })
  const usual = meanOf(fitted, width)
  const places = Array.from({ length: centres.k }, (_, at) => newPlace(typicalWords(space, centres, { at, usual })))
  return { space, centres, places }
}

function newPlace(words: string[]): Place {
  return { ...noCounts(), words, examples: [] }
}

function noCounts(): Counts {
  return { prompts: 0, demonstrations: 0, covered: 0 }
}

/** None for what shares no word with any cluster. */
function placeOf({ space, centres, places }: WordMap, text: string): { place: Place | undefined; closeness: number } {
  const { at, similarity } = nearestCentre(space.vectorOf(text), centres)
  return similarity > 0 ? { place: places[at]!, closeness: similarity } : { place: undefined, closeness: 0 }
}

function meanOf(points: readonly WordVector[], width: number): Float64Array {
  const mean = new Float64Array(width)
  for (const { words, weights } of points)
    for (let i = 0; i < words.length; i++) mean[words[i]!]! += weights[i]! / points.length
  return mean
}

/** Those whose weight in the cluster is furthest above that in all. */
function typicalWords(
  { vocabulary }: WordSpace,
  { k, weights }: Centres,
  { at, usual }: { at: number; usual: Float64Array },
): string[] {
  const lead = (word: number): number => weights[word * k + at]! - usual[word]!
  const leading = [...usual.keys()].filter((word) => lead(word) > 0)
  leading.sort((a, b) => lead(b) - lead(a) || a - b)
  return leading.slice(0, MOST_WORDS).map((word) => vocabulary[word]!)
}

/**
 * Whether one of these lies at or above the cosine. Words are gone through heaviest first: when those that are left weigh
 * too little together, what shares only them cannot be near (Bayardo et al., WWW 2007).
 */
function nearFinder(others: readonly WordVector[], similarity: number): (vector: WordVector) => boolean {
  const owners = new Map<number, number[]>()
  for (const [owner, { words }] of others.entries())
    for (const word of words) {
      const own = owners.get(word)
      if (own) own.push(owner)
      else owners.set(word, [owner])
    }
  const threshold = similarity - ROUNDING
  const metFor = new Int32Array(others.length)
  let asked = 0
  return (vector) => {
    const { words, weights } = vector
    asked++
    let left = 1
    for (const i of [...words.keys()].sort((a, b) => weights[b]! - weights[a]!)) {
      if (Math.sqrt(left) < threshold) return false
      left = Math.max(0, left - weights[i]! ** 2)
      for (const owner of owners.get(words[i]!) ?? []) {
        if (metFor[owner] === asked) continue
        metFor[owner] = asked
        if (likeness(vector, others[owner]!) >= threshold) return true
      }
    }
    return false
  }
}

/** Uncovered ones first, then those nearest the middle. */
function keepExample(kept: Example[], example: Example): void {
  kept.push(example)
  kept.sort((a, b) => Number(a.isCovered) - Number(b.isCovered) || b.closeness - a.closeness)
  if (kept.length > MOST_EXAMPLES) kept.pop()
}

function emptiestFirst(a: Counts, b: Counts): number {
  const missing = ({ demonstrations, prompts, covered }: Counts): number => (demonstrations > 0 ? 0 : prompts - covered)
  const share = ({ covered, prompts }: Counts): number => (prompts === 0 ? 1 : covered / prompts)
  return missing(b) - missing(a) || share(a) - share(b) || b.prompts - a.prompts
}

function shown({ words, prompts, demonstrations, covered, examples }: Place): Cluster {
  const short = (text: string): string => (text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text)
  return {
    words,
    prompts,
    demonstrations,
    covered,
    examples: examples.map(({ text, isCovered }) => ({ text: short(text), isCovered })),
  }
}

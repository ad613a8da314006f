// Who judges what: overlap judgements an item by different people, loads balanced, sides drawn by hash so that a comparison
// added later changes no side drawn before. Left out: deadlines and leases, which belong to the campaign's store.
import { ConfigError } from '#errors'
import { deriveSeed, generator } from '#stats'

export type Annotator = {
  id: string
  /** What this person is qualified for; absent: everything. */
  domains?: string[]
}
export type AssignableItem = {
  item: string
  /** Only people qualified for it may judge; absent: anyone. */
  domain?: string
  /** Judgements wanted; default the overlap of the call. */
  overlap?: number
}
export type Assignment = { item: string; annotator: string; isALeft: boolean }

/**
 * Assignments in the order to be judged, items shuffled. Nobody meets an item twice, `already` (earlier rounds) included; its load
 * counts too. Among qualified people the one with the least load is next, ties by lot.
 * @throws ConfigError when an item wants more judgements than qualified people are left
 */
export function assign({
  items,
  annotators,
  overlap,
  seed,
  already = [],
}: {
  items: readonly AssignableItem[]
  annotators: readonly Annotator[]
  overlap: number
  seed: number
  already?: readonly { item: string; annotator: string }[]
}): Assignment[] {
  const load = new Map(annotators.map(({ id }) => [id, 0]))
  if (load.size < annotators.length) throw new ConfigError('expected every annotator once, got an id twice')
  const seen = new Map<string, Set<string>>()
  for (const { item, annotator } of already) {
    seen.set(item, (seen.get(item) ?? new Set()).add(annotator))
    if (load.has(annotator)) load.set(annotator, load.get(annotator)! + 1)
  }
  const random = generator(deriveSeed(seed, 'assign'))
  const assignments: Assignment[] = []
  for (const { item, domain, overlap: wanted = overlap } of random.shuffle(items)) {
    const before = seen.get(item)
    const free = annotators.filter(
      ({ id, domains }) => !before?.has(id) && (domain === undefined || !domains || domains.includes(domain)),
    )
    if (free.length < wanted)
      throw new ConfigError(
        `item ${item} wants ${wanted} judgements, but ${free.length} annotators are free and qualified${domain ? ` for ${domain}` : ''}; lower the overlap or add annotators`,
      )
    // The shuffle is the lot: the sort is stable.
    const next = random.shuffle(free).sort((x, y) => load.get(x.id)! - load.get(y.id)!)
    for (const { id } of next.slice(0, wanted)) {
      load.set(id, load.get(id)! + 1)
      assignments.push({ item, annotator: id, isALeft: sideOf(seed, item, id) })
    }
  }
  return assignments
}

/** Whether `a` goes left for this person and item: a fair coin fixed by the seed. */
export function sideOf(seed: number, item: string, annotator: string): boolean {
  return deriveSeed(seed, 'side', item, annotator) % 2 === 0
}

// Judgements gathered by item, turned from the sides that were shown (left, right) to the completions themselves (a, b).
// Here every judgement is checked against its comparison; what follows may trust it.
import { DataError } from '#errors'
import type { Choice, Comparison, Judgement, Prompt } from '#schema'

export type Vote = {
  /** Of its judgement. */
  id?: string
  annotator: string
  /** Of the judgements, from 0: the order in which they were given. */
  row: number
  /** True when completion `a` was shown on the left. */
  isALeft: boolean
  choice: Choice
  /** 1: a is better; 0: b is better; 0.5: tie or both bad; absent: cannot judge, or both texts are the same. */
  towardsA?: number
  /** 1 slight to 4 strong. */
  strength?: number
  /** Seconds from shown to answered. */
  time?: number
}
export type Item = {
  item: string
  prompt?: Prompt
  a: string
  b: string
  votes: Vote[]
  simulated: boolean
  /** What an adjudicator said over the votes, and is none of them. */
  adjudication?: { as: 'decided' | 'subjective'; vote: Vote }
  /** Text of the better completion, where it was known beforehand. */
  gold?: string
}

/**
 * Items in order of first appearance. With `comparisons` every judgement must belong to one; without, `a` is the completion that the
 * item's first judgement shows on the left. Lines in errors count rows of `judgements` from 1.
 * @throws DataError when texts do not match the item, both sides are the same, someone judged or settled an item twice, gold answers contradict each other, or criteria are mixed
 */
export function gatherItems(judgements: readonly Judgement[], comparisons?: readonly Comparison[]): Item[] {
  const items = new Map<string, Item>()
  comparisons?.forEach(({ item, prompt, a, b, gold }, i) => {
    if (items.has(item))
      throw new DataError(`expected one comparison an item, got a second one of ${item}`, {
        line: i + 1,
        field: 'item',
      })
    items.set(item, { item, prompt, a, b, votes: [], simulated: false, ...(gold && { gold: gold === 'a' ? a : b }) })
  })
  judgements.forEach((judgement, i) => {
    const line = i + 1
    const [asked, first] = [judgement, judgements[0]!].map((j) => j.criterion ?? 'none')
    if (asked !== first)
      throw new DataError(
        `expected judgements that answer one question, got criterion ${first} in row 1 and ${asked} here; choose one criterion`,
        { line, field: 'criterion' },
      )
    const { item: name, annotator, left, right, choice } = judgement
    let item = items.get(name)
    if (!item) {
      if (comparisons)
        throw new DataError(`item ${name} is in no comparison; add it there or leave the judgement out`, {
          line,
          field: 'item',
        })
      if (left === right)
        throw new DataError(`expected two different completions of item ${name}, got the same text twice`, {
          line,
          field: 'right',
        })
      item = { item: name, a: left, b: right, votes: [], simulated: false }
      items.set(name, item)
    }
    if (judgement.gold !== undefined) checkGold(item, judgement.gold === 'left' ? left : right, line)
    if (judgement.prompt !== undefined) checkPrompt(item, judgement.prompt, line)
    const isALeft = left === item.a && right === item.b
    if (!isALeft && !(left === item.b && right === item.a))
      throw new DataError(
        `left and right of annotator ${annotator} are not the two completions of item ${name}; expected the texts of its comparison, in either order`,
        { line, field: left === item.a || left === item.b ? 'right' : 'left' },
      )
    if (judgement.adjudication ? item.adjudication : item.votes.some((vote) => vote.annotator === annotator))
      throw new DataError(
        judgement.adjudication
          ? `item ${name} was adjudicated twice; keep the one that holds`
          : `annotator ${annotator} judged item ${name} twice; keep one of the two`,
        { line, field: judgement.adjudication ? 'adjudication' : 'annotator' },
      )
    // A choice between equal texts, which only a comparison can ask for, says nothing.
    const towardsA = item.a === item.b ? undefined : leaning(choice, isALeft)
    const vote: Vote = {
      ...(judgement.id !== undefined && { id: judgement.id }),
      annotator,
      row: i,
      isALeft,
      choice,
      ...(towardsA !== undefined && { towardsA }),
      ...(judgement.strength !== undefined && { strength: judgement.strength }),
      ...(judgement.time !== undefined && { time: judgement.time }),
    }
    if (judgement.adjudication) item.adjudication = { as: judgement.adjudication, vote }
    else item.votes.push(vote)
    item.simulated ||= judgement.simulated === true
  })
  return [...items.values()]
}

/** Every judgement of one annotator in the order of rows, with the item it belongs to. */
export function votesByAnnotator(items: readonly Item[]): Map<string, { item: Item; vote: Vote }[]> {
  const byAnnotator = new Map<string, { item: Item; vote: Vote }[]>()
  for (const item of items)
    for (const vote of item.votes) {
      const own = byAnnotator.get(vote.annotator)
      if (own) own.push({ item, vote })
      else byAnnotator.set(vote.annotator, [{ item, vote }])
    }
  for (const own of byAnnotator.values()) own.sort((x, y) => x.vote.row - y.vote.row)
  return byAnnotator
}

/** 1 towards a, 0 towards b, 0.5 neither; undefined: it says nothing. */
export function leaning(choice: Choice, isALeft: boolean): number | undefined {
  switch (choice) {
    case 'left':
      return isALeft ? 1 : 0
    case 'right':
      return isALeft ? 0 : 1
    case 'tie':
    case 'both-bad':
      return 0.5
    case 'cannot-judge':
      return undefined
    default:
      throw new Error(`unknown choice ${choice satisfies never}`)
  }
}

function checkGold(item: Item, better: string, line: number): void {
  item.gold ??= better
  if (item.gold !== better)
    throw new DataError(`item ${item.item} has two gold answers; expected one of its completions in every row`, {
      line,
      field: 'gold',
    })
}

function checkPrompt(item: Item, prompt: Prompt, line: number): void {
  if (item.prompt === undefined) item.prompt = prompt
  else if (JSON.stringify(item.prompt) !== JSON.stringify(prompt))
    throw new DataError(`the prompt is not the one of item ${item.item}`, { line, field: 'prompt' })
}

/** How right a vote is by the gold answer of its item: 1 right, 0 wrong, 0.5 tie or both bad; undefined where it says nothing. */
export function rightness(item: Item, { towardsA }: Vote, better: string): number | undefined {
  if (better !== item.a && better !== item.b)
    throw new DataError(`the gold answer of item ${item.item} is neither of its completions`, { field: 'better' })
  return towardsA === undefined || better === item.a ? towardsA : 1 - towardsA
}

// What ratings and rankings say: rows to take out, means and counts by question, agreement, and whether the screen leads.
import {
  type AgreementReport,
  gatherItems,
  pairsOfRanking,
  type Rating as Rated,
  ratingsOf,
  reportAgreement,
} from '#feedback'
import { canonicalJson, sha256 } from '#files'
import { byMessage, type Judgement, messageAt, type Question, type Rating, type Value } from '#schema'
import { bootstrapMean, deriveSeed, generator } from '#stats'
import type { Project, StoredAnswer } from '#store'
import { pseudonymOf } from './campaign-report.ts'

const HASH_LENGTH = 16

/** Where each completion of an item stands on this person's screen, from 0: drawn by the campaign's seed. */
export function orderFor(seed: number, { item, user, count }: { item: string; user: string; count: number }): number[] {
  const positions = Array.from({ length: count }, (_, i) => i)
  return generator(deriveSeed(seed, 'ranking-order', `${item} ${user}`)).shuffle(positions)
}

/** A ranking's judgements. What is about one prompt has one group, so that no split parts it. */
export function rankingRows(project: Project, answers: readonly StoredAnswer[]): (Judgement & { id: string })[] {
  return answers.flatMap(({ id, user, item, prompt, completions, content, guideline, objective, at }) => {
    const { places, shown } = content
    if (!places || !shown) return []
    const group = `prompt-${sha256(canonicalJson(prompt)).slice(0, HASH_LENGTH)}`
    const annotator = pseudonymOf(project, user)
    return pairsOfRanking({ item, annotator, prompt, group, completions, places, shown }).map((row) => ({
      ...row,
      id: `${id}.${row.item.slice(item.length + 1)}`,
      guideline,
      ...(objective !== null && { objective }),
      judgedAt: at,
    }))
  })
}

/** A row an answer; where messages were rated one by one, a row for each of them and one for what was said of the whole. */
export function ratingRows(project: Project, answers: readonly StoredAnswer[]): (Rating & { judgedAt: string })[] {
  return answers.flatMap((answer) => {
    const { id, user, item, prompt, completions, content, reason, seconds, guideline, objective, at } = answer
    const whole = {
      id,
      item,
      annotator: pseudonymOf(project, user),
      prompt,
      completion: completions[0]!,
      ratings: {},
      time: seconds,
      guideline,
      ...(objective !== null && { objective }),
      ...(reason !== '' && { reason }),
      judgedAt: at,
    }
    const parts = byMessage(content.values ?? {})
    if (parts.length === 0) return [whole]
    return parts.map(({ message, values: ratings }) =>
      message === undefined
        ? { ...whole, ratings }
        : { ...whole, id: `${id}.${message}`, ...messageAt(whole, message), message, ratings },
    )
  })
}

export type Said = {
  name: string
  text: string
  type: string
  answers: number
  byMessage: { message: number; answers: number; mean: Said['mean'] }[]
  mean: { value: number; low: number; high: number } | null
  counts: { value: string; count: number }[]
  agreement: AgreementReport | null
}

/** One question over all answers; texts are counted and no more. */
export function sayOf(question: Question, answers: readonly StoredAnswer[]): Said {
  const { name, text, type } = question
  const given = givenTo(question, answers)
  const head = { name, text, type, answers: given.length, byMessage: [] }
  if (question.type === 'text') return { ...head, mean: null, counts: [], agreement: null }
  const scale: (number | boolean | string)[] =
    question.type === 'category'
      ? question.options
      : question.type === 'boolean'
        ? [false, true]
        : Array.from({ length: question.type === '1-5' ? 5 : 7 }, (_, i) => i + 1)
  const numbers = given.map((each) => ({ ...each, value: scale.indexOf(each.value) }))
  const isOrdered = question.type !== 'category'
  const lift = question.type === 'boolean' ? 0 : 1
  const messages = [...new Set(numbers.flatMap(({ message }) => message ?? []))].sort((x, y) => x - y)
  return {
    ...head,
    byMessage: messages.map((message) => {
      const own = numbers.filter((each) => each.message === message)
      return { message, answers: own.length, mean: isOrdered ? meanOf(own, lift) : null }
    }),
    mean: isOrdered && numbers.length > 0 ? meanOf(numbers, lift) : null,
    counts: scale.map((value) => ({
      value: value === true ? 'yes' : value === false ? 'no' : String(value),
      count: given.filter((each) => each.value === value).length,
    })),
    agreement: agreementOf(numbers),
  }
}

type Given = { item: string; annotator: string; dialogue: string; message?: number | undefined; value: Value }

/** Answers to one question. Of one that is asked of each message, an item is a message; `dialogue`: what they are messages of. */
function givenTo({ name, each }: Question, answers: readonly StoredAnswer[]): Given[] {
  return answers.flatMap(({ item, user, content }) =>
    byMessage(content.values ?? {}).flatMap(({ message, values }): Given[] => {
      const value = values[name]
      if (value === undefined || (message === undefined) === (each === 'message')) return []
      const unit = message === undefined ? item : `${item} message ${message}`
      return [{ item: unit, annotator: user, dialogue: item, message, value }]
    }),
  )
}

/**
 * Over items, each with the mean of its answers: people who rate the same item are no new evidence, nor are messages of one
 * dialogue.
 */
function meanOf(
  ratings: readonly { dialogue: string; value: number }[],
  lift: number,
): { value: number; low: number; high: number } {
  const byItem = new Map<string, number[]>()
  for (const { dialogue, value } of ratings) byItem.set(dialogue, [...(byItem.get(dialogue) ?? []), value + lift])
  const means = [...byItem.values()].map((own) => own.reduce((x, y) => x + y, 0) / own.length)
  return bootstrapMean(means, { seed: 0 })
}

/** Null: no item has two answers yet. */
export function agreementOf(ratings: readonly Rated[]): AgreementReport | null {
  const isShared = new Set(ratings.map(({ item }) => item)).size < ratings.length
  return isShared ? reportAgreement(ratings, { seed: 0 }) : null
}

export function agreementOfPairs(rows: readonly Judgement[]): AgreementReport | null {
  return agreementOf(ratingsOf(gatherItems(rows)))
}

/** How often what stood at each position was put first, alone or with others. */
export function firstByPosition(answers: readonly StoredAnswer[]): { shown: number; first: number }[] {
  const counts: { shown: number; first: number }[] = []
  for (const { content } of answers)
    content.shown?.forEach((position, i) => {
      const count = (counts[position] ??= { shown: 0, first: 0 })
      count.shown++
      if (content.places?.[i] === Math.min(...(content.places ?? []))) count.first++
    })
  return [...counts].map((count) => count ?? { shown: 0, first: 0 })
}

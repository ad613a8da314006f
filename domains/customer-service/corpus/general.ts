// General text that knows nothing of the desk: stories, sums, lists, chatter, look-ups, echoes.
import { type Random } from '#simulate'
import { GENERAL_MIX } from '../knobs.ts'
import { knowledgeBase } from '../knowledge-base.ts'
import { notesDocument } from './notes.ts'
import * as words from './words.ts'

type GeneralKind = keyof typeof GENERAL_MIX

export function generalDocument(draw: Random): string {
  const kinds = Object.keys(GENERAL_MIX) as GeneralKind[]
  const kind = kinds[draw.weighted(Object.values(GENERAL_MIX))]!
  switch (kind) {
    case 'story':
      return story(draw)
    case 'sums':
      return sums(draw)
    case 'list':
      return list(draw)
    case 'chatter':
      return chatter(draw)
    case 'lookup':
      return notesDocument(draw, 'general')
    case 'echo':
      return echoDocument(draw, words.generalWords)
    default:
      return kind satisfies never
  }
}

/**
 * Random words said two to five times: nothing but copying predicts them after the first. Short runs often repeated teach
 * it soonest: with four repeats of 3 to 10 words a fresh model copied after 0.4M tokens, with two of 5 to 14 not after 2M.
 */
export function echoDocument(draw: Random, from: readonly string[]): string {
  const length = 3 + draw.integer(7)
  const words = Array.from({ length }, () => (draw.chance(0.15) ? String(10 + draw.integer(90)) : draw.pick(from)))
  const times = 2 + draw.integer(4)
  return Array.from({ length: times }, () => words.join(' ')).join(draw.pick([' / ', ' : ', ' | ', '\n']))
}

function story(draw: Random): string {
  const [hero, friend] = draw.shuffled(words.names) as [string, string]
  const thing = draw.pick(words.things)
  const colour = draw.pick(words.colours)
  const place = draw.pick(words.places)
  const animal = draw.pick(words.animals)
  const feeling = draw.pick(words.feelings)
  const middle = draw.shuffled([
    `${hero} ${draw.pick(words.verbs)} a ${colour} ${thing}.`,
    `A ${draw.pick(words.adjectives)} ${animal} came along.`,
    `${friend} was there too and felt ${draw.pick(words.feelings)}.`,
    `It was a ${draw.pick(words.adjectives)} day.`,
  ])
  const end = draw.pick([
    `${hero} gave the ${colour} ${thing} to ${friend}.`,
    `The ${animal} took the ${thing} and ran.`,
    `${friend} and ${hero} left the ${place} together.`,
  ])
  return `One ${draw.pick(knowledgeBase.days)} ${hero} went to the ${place}. ${middle.slice(0, 2 + draw.integer(2)).join(' ')} ${end} ${hero} was ${feeling}.`
}

function sums(draw: Random): string {
  const lines = Array.from({ length: 2 + draw.integer(3) }, () => {
    const a = 1 + draw.integer(49)
    const b = 1 + draw.integer(49)
    const [low, high] = a < b ? [a, b] : [b, a]
    const dollars = draw.chance(0.4) ? '$' : ''
    switch (draw.integer(4)) {
      case 0:
        return `${a} plus ${b} is ${a + b}.`
      case 1:
        return `${high} minus ${low} is ${high - low}.`
      case 2:
        return low === high
          ? `${dollars}${low} is as much as ${dollars}${high}.`
          : `${dollars}${high} is more than ${dollars}${low}.`
      default:
        return `Is ${dollars}${a * 2} above ${dollars}${b * 2}? ${a > b ? 'Yes' : 'No'}.`
    }
  })
  return lines.join(' ')
}

function list(draw: Random): string {
  const from = draw.pick([words.foods, words.things, words.animals, words.colours, words.places])
  const chosen = draw.shuffled(from).slice(0, 3 + draw.integer(4))
  const last = draw.chance(0.5) ? `The first is ${chosen[0]!}.` : `The last is ${chosen.at(-1)!}.`
  return `List of ${chosen.length}: ${chosen.join(', ')}. ${last}`
}

function chatter(draw: Random): string {
  return Array.from({ length: 2 + draw.integer(3) }, () => {
    const who = `the ${draw.pick(words.adjectives)} ${draw.pick(words.animals)}`
    switch (draw.integer(3)) {
      case 0:
        return `I think ${who} ${draw.pick(words.verbs)} the ${draw.pick(words.things)}.`
      case 1:
        return `Did you know that ${who} is ${draw.pick(words.feelings)}?`
      default:
        return `There are ${draw.pick(words.numbers)} ${draw.pick(words.things)}s near the ${draw.pick(words.places)}.`
    }
  }).join(' ')
}

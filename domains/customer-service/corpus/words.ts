// Words of the general text. Together with the words of the desk they are what the tokenizer learns whole.
import { tables } from '../grammar.ts'
import { knowledgeBase } from '../knowledge-base.ts'

export const names = ['Anna', 'Tom', 'Lily', 'Max', 'Eva', 'Sam', 'Rosa', 'Ben', 'Ida', 'Karl']
export const places = [
  'market',
  'river',
  'garden',
  'school',
  'forest',
  'beach',
  'library',
  'station',
  'kitchen',
  'park',
]
export const things = [
  'hat',
  'book',
  'cake',
  'ball',
  'apple',
  'letter',
  'stone',
  'basket',
  'drum',
  'coat',
  'cup',
  'map',
]
export const animals = ['dog', 'cat', 'horse', 'bird', 'fox', 'goat', 'duck', 'mouse']
export const colours = ['red', 'blue', 'green', 'yellow', 'white', 'black', 'brown', 'pink']
export const adjectives = ['old', 'small', 'warm', 'quiet', 'tall', 'round', 'soft', 'heavy', 'bright', 'empty']
export const feelings = ['happy', 'tired', 'proud', 'hungry', 'calm', 'worried', 'upset', 'furious', 'sad', 'glad']
export const verbs = ['saw', 'found', 'carried', 'painted', 'lost', 'kept', 'sold', 'moved', 'opened', 'closed']
export const foods = ['bread', 'milk', 'eggs', 'rice', 'soup', 'cheese', 'salt', 'beans', 'corn', 'tea']
export const numbers = ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
export const subjects = [
  'The driver',
  'The clerk',
  'A customer',
  'The team',
  'Our desk',
  'The shop',
  'The firm',
  'A friend',
]
export const acts = ['checks', 'sends', 'returns', 'packs', 'counts', 'repairs', 'sells', 'wraps', 'tests', 'stores']
export const times = [
  'today',
  'tomorrow',
  'at noon',
  'each week',
  'before lunch',
  'at night',
  'this month',
  'in the morning',
]

/** Every word that prompts and replies of the desk are written with, each alone. */
export const deskWords: string[] = [
  ...new Set(
    [
      ...Object.values(knowledgeBase).flat(),
      ...tables.channels.flatMap((c) => [c.name, ...c.greetings]),
      ...tables.moods.flatMap((m) => [m.name, ...m.phrases]),
      ...tables.intents.flatMap((i) => [
        i.name,
        i.fact,
        i.decoy,
        ...i.messages.map((m) => m.text),
        ...i.wordings,
        ...('limitWordings' in i ? i.limitWordings : []),
      ]),
      tables.vague,
      tables.empathy,
      tables.escalation,
      tables.offBrand,
      tables.padding,
      tables.courtesy,
      tables.signOff,
    ]
      .flat(2)
      .filter((text) => typeof text === 'string')
      .flatMap((text) => text.replaceAll(/\{\w+\}/g, ' ').match(/[A-Za-z]+/g) ?? []),
  ),
].sort()

export const generalWords: string[] = [
  ...new Set(
    [names, places, things, animals, colours, adjectives, feelings, verbs, foods, numbers, subjects, acts, times]
      .flat()
      .flatMap((text) => text.split(' ')),
  ),
].sort()

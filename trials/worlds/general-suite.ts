// A small suite of what an instruction model could do before it was tuned to a desk: sums, copying, and instructions
// about form, 24 of each, drawn by seed and checked by program. Questions go through the model's chat template, answers
// are greedy. Left out: anything that only a person or another model could judge.
import { sampleRollouts } from '#align'
import type { Engine, Model } from '#engine/contract'
import { deriveSeed, generator } from '#stats'
import { type Tokenizer, tokenizePrompt } from '#text'

export const GENERAL_KINDS = ['arithmetic', 'copying', 'instructions'] as const
export type GeneralKind = (typeof GENERAL_KINDS)[number]
/** `answer`: what the bundled task file of its kind holds for right; instructions about form have none. */
export type GeneralItem = { kind: GeneralKind; question: string; answer?: string; isRight: (answer: string) => boolean }

const EACH = 24
/** Longest answer, tokens: the longest right one is below 30. */
const LONGEST = 40
const WORDS = ['river', 'candle', 'window', 'garden', 'silver', 'market', 'orange', 'pencil', 'winter', 'bridge']
const PLACES = ['Lisbon', 'Cairo', 'Oslo', 'Lima', 'Kyoto', 'Dublin', 'Quebec', 'Nairobi']
const THINGS = ['fruits', 'animals', 'colors', 'countries', 'vegetables', 'cities']
const QUESTIONS = [
  'Is ice cold?',
  'Is the sun hot?',
  'Can fish swim?',
  'Is a week seven days long?',
  'Do birds have wings?',
]

/** The same items for the same seed. */
export function generalSuite(seed: number): GeneralItem[] {
  const draw = generator(deriveSeed(seed, 'general suite'))
  const below = (n: number) => Math.floor(draw.uniform() * n)
  const pick = <T>(of: readonly T[]) => of[below(of.length)]!
  const make: Record<GeneralKind, () => Omit<GeneralItem, 'kind'>> = {
    arithmetic() {
      const [a, b] = [2 + below(18), 2 + below(18)]
      const [high, low] = [Math.max(a, b), Math.min(a, b)]
      const [sign, x, y, result] = pick([
        ['+', a, b, a + b],
        ['-', high, low, high - low],
        ['*', 2 + (a % 8), 2 + (b % 8), (2 + (a % 8)) * (2 + (b % 8))],
      ] as const)
      return {
        question: `What is ${x} ${sign} ${y}? Answer with the number only.`,
        answer: String(result),
        isRight: (answer) => Number(answer.match(/-?\d+/g)?.at(-1)) === result,
      }
    },
    copying() {
      const text = `${pick(WORDS)} ${pick(WORDS)} ${pick(PLACES)} ${10 + below(90)}`
      return { question: `Repeat this text exactly: ${text}`, answer: text, isRight: (answer) => answer.includes(text) }
    },
    instructions() {
      const word = pick(WORDS)
      const forms: (() => Omit<GeneralItem, 'kind'>)[] = [
        () => ({
          question: `${pick(QUESTIONS)} Answer with yes or no only.`,
          isRight: (answer) => /^\W*yes\W*$/i.test(answer),
        }),
        () => ({
          question: `Write one sentence that contains the word "${word}".`,
          isRight: (answer) => new RegExp(`\\b${word}s?\\b`, 'i').test(answer),
        }),
        () => ({
          question: `Write the word "${word}" in capital letters.`,
          isRight: (answer) => answer.includes(word.toUpperCase()),
        }),
        () => ({
          question: `List three ${pick(THINGS)} as a numbered list.`,
          isRight: (answer) => /^\W*1\..*\n+\W*2\..*\n+\W*3\./.test(answer),
        }),
      ]
      return pick(forms)()
    },
  }
  return GENERAL_KINDS.flatMap((kind) => Array.from({ length: EACH }, () => ({ kind, ...make[kind]() })))
}

/** A kind whose items have answers, as a task file for `hone evaluate --task`. */
export function generalTask(kind: 'arithmetic' | 'copying', seed: number): string {
  const scorer = { arithmetic: 'numeric', copying: 'contains' }[kind]
  const description = { name: kind, chat: true, scorer, sampling: { maxTokens: LONGEST } }
  const items = generalSuite(seed).filter((item) => item.kind === kind)
  const rows = items.map(({ question, answer }, i) => ({ id: `${kind}-${i + 1}`, question, answer }))
  return [description, ...rows].map((row) => `${JSON.stringify(row)}\n`).join('')
}

/** 1 = answered rightly, of each item. */
export async function answerSuite(
  { engine, tokenizer, signal }: { engine: Engine; tokenizer: Tokenizer; signal?: AbortSignal },
  model: Model,
  items: readonly GeneralItem[],
): Promise<number[]> {
  const prompts: Int32Array[] = []
  for (const { question } of items) prompts.push(await tokenizePrompt(tokenizer, [{ role: 'user', content: question }]))
  const rollouts = await sampleRollouts(engine, model, prompts, {
    maxTokens: LONGEST,
    temperature: 0,
    stopTokens: tokenizer.eosIds,
    seed: 0,
    ...(signal && { signal }),
  })
  return rollouts.map(({ completion }, i) =>
    Number(items[i]!.isRight(tokenizer.decode(completion, { skipSpecial: true }))),
  )
}

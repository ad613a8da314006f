// Demonstrations by simulated experts, with the faults that curation must find, and clean held-out rows.
import type { Demonstration } from '#schema'
import { type Random, random } from '#simulate'
import { gold } from './gold.ts'
import { tables } from './grammar.ts'
import { EXPERTS, FAULTS } from './knobs.ts'
import { type DeskPrompt, prompts } from './prompts.ts'
import { type ReplyGrammar, meanSurprise, replyGrammar } from './replies.ts'

export type Fault = 'violation' | 'exact-duplicate' | 'near-duplicate' | 'leaked-customer' | 'malformed'

export type DeskDemonstration = Demonstration & {
  id: string
  group: string
  stratum: string
  prompt: string
  author: string
}

export const grammar: ReplyGrammar = replyGrammar(tables, EXPERTS)

/** `n` training rows, faults included and in random places; `planted` says which row has which, for tests of curation. */
export function demonstrations(
  seed: number,
  n: number,
): { rows: DeskDemonstration[]; planted: { id: string; fault: Fault }[] } {
  const draw = random(seed, 'faults')
  const count = (share: number) => Math.round(share * n)
  const doubled = count(FAULTS.exactDuplicate)
  const nearly = count(FAULTS.nearDuplicate)
  const own = prompts(seed, { n: n - doubled - nearly, split: 'train' }).map((p) => ({
    ...answer(seed, p),
    fault: undefined as Fault | undefined,
  }))
  const [leaking, malformed, copied] = disjointPicks(draw, own.length, [
    count(FAULTS.leakedCustomer),
    count(FAULTS.malformed),
    doubled + nearly,
  ])
  const heldOutCustomers = prompts(seed, { n: 100, split: 'held-out' }).map((p) => p.group)
  for (const i of leaking!) Object.assign(own[i]!, { group: draw.pick(heldOutCustomers), fault: 'leaked-customer' })
  for (const i of malformed!) Object.assign(own[i]!, { completion: spoil(draw, own[i]!), fault: 'malformed' })
  const copies = copied!.map((i, k) => {
    const isExact = k < doubled
    const { completion } = own[i]!
    return {
      ...own[i]!,
      completion: isExact ? completion : retype(draw, completion),
      fault: (isExact ? 'exact-duplicate' : 'near-duplicate') satisfies Fault as Fault,
    }
  })
  const planted: { id: string; fault: Fault }[] = []
  const order = copiesLast(draw.shuffled([...own, ...copies]))
  const rows = order.map(({ fault, isViolation, ...row }, i) => {
    const id = `demonstration-${String(i + 1).padStart(5, '0')}`
    if (fault) planted.push({ id, fault })
    if (isViolation) planted.push({ id, fault: 'violation' })
    return { ...row, id }
  })
  return { rows, planted }
}

/** `n` rows of held-out customers, drawn from the curated grammar: no violations, nothing planted. */
export function heldOutDemonstrations(seed: number, n: number): DeskDemonstration[] {
  return prompts(seed, { n, split: 'held-out' }).map((p) => {
    for (let attempt = 0; ; attempt++) {
      const { isViolation, ...row } = answer(seed, p, attempt)
      if (!isViolation) return row
    }
  })
}

/**
 * Mean -log P(completion | prompt) of the curated grammar on held-out rows, in nats a token and a reply.
 * `countTokens` counts what the loss counts: the completion's tokens and the end-of-sequence token.
 */
export function entropyFloor(
  rows: readonly { prompt: string; completion: string }[],
  countTokens: (completion: string) => number,
): { perToken: number; perReply: number; tokens: number } {
  return meanSurprise(
    grammar,
    rows.map(({ prompt, completion }) => ({ situation: gold.readPrompt(prompt), completion })),
    countTokens,
  )
}

function answer(seed: number, p: DeskPrompt, attempt = 0): DeskDemonstration & { isViolation: boolean } {
  const draw = random(seed, 'reply', p.id, attempt)
  const { completion, expert, isViolation } = grammar.sample(draw, gold.readPrompt(p.prompt))
  return { ...p, completion, author: `simulated-expert-${expert}`, isViolation }
}

function disjointPicks(draw: Random, among: number, counts: number[]): number[][] {
  const order = draw.shuffled(Array.from({ length: among }, (_, i) => i))
  let from = 0
  return counts.map((count) => order.slice(from, (from += count)))
}

/** Swaps each copy that stands before its original with it: the copy is the row that curation sets aside. */
function copiesLast<R extends { id: string; fault: Fault | undefined }>(rows: R[]): R[] {
  const isCopy = (row: R) => row.fault === 'exact-duplicate' || row.fault === 'near-duplicate'
  const copyAt = new Map([...rows.entries()].filter(([, row]) => isCopy(row)).map(([i, row]) => [row.id, i]))
  const out = [...rows]
  for (const [i, row] of rows.entries()) {
    const copy = isCopy(row) ? undefined : copyAt.get(row.id)
    if (copy === undefined || copy > i) continue
    out[i] = rows[copy]!
    out[copy] = row
  }
  return out
}

/** What goes wrong in exports: nothing there, blanks, a role or a control token of a chat template left in. */
function spoil(draw: Random, { completion }: DeskDemonstration): string {
  return draw.pick(['', '   ', ` Assistant:${completion}`, `${completion}<|im_end|>`])
}

/** The same reply typed again by hand: another mark at an end, a doubled blank, a lower-case beginning. */
function retype(draw: Random, completion: string): string {
  const edits = [
    (s: string) => s.replace(/[.!]$/, '..'),
    (s: string) => s.replace('. ', '.  '),
    (s: string) => s.slice(0, 1) + s.slice(1, 2).toLowerCase() + s.slice(2),
  ]
  const edited = draw.pick(edits)(completion)
  return edited === completion ? `${completion}.` : edited
}

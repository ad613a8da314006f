// Checks that set rows aside with reasons before anybody trains on them. Each check looks for one thing; a policy says
// whether a finding sets the row aside, is noted, or is not looked for. Rows that are wrong by themselves never count as
// the original of a duplicate. Left out: language, licence, embeddings (near-duplicates are by words).
import { ConfigError } from '#errors'
import { contaminationFinder } from './contamination.ts'
import { leakFinder } from './leaks.ts'
import { NearIndex } from './near-duplicates.ts'
import type { Kind, RowOf } from './normalise.ts'
import { lengthLimits, lengthReasons, middle, ownReasons } from './row-checks.ts'
import { type ComparedTexts, textsOf, wholeText } from './texts.ts'

export const CHECKS = {
  empty: 'a text of the row is blank',
  roles: 'turns out of order: system first, user and assistant in turn, the user or a tool last',
  template: 'text that belongs to a chat template: control tokens, or a completion that begins with a role',
  'token-budget': 'more tokens than the budget',
  length: 'far longer or shorter than the other rows',
  'personal-data': 'an e-mail address, telephone number, payment card, IBAN or social security number',
  constraint: 'breaks a hard constraint of the objective',
  'identical-sides': 'two completions that are the same: nothing to prefer',
  'exact-duplicate': 'the same texts as an earlier row',
  'near-duplicate': 'nearly the same words as an earlier row',
  contradiction: 'the opposite answer to the same question as an earlier row',
  'leak-group': 'its group (customer, patient, repository) is in a held-out split too',
  'leak-text': 'its prompt is nearly a held-out prompt',
  contamination: 'shares a run of words with an evaluation row',
} as const
export type Check = keyof typeof CHECKS
export type Policy = 'set-aside' | 'note' | 'off'

/** Says why a row breaks the constraint, or undefined when it does not. */
export type Constraint<R> = { name: string; broken: (row: R) => string | undefined }
/** What held-out and evaluation rows must have; rows of any kind but judgements will do. */
export type HeldOut = { id?: string | undefined; group?: string | undefined } & RowOf[
  | 'prompts'
  | 'demonstrations'
  | 'comparisons']

export type CheckOptions<K extends Kind> = {
  kind: K
  policy?: Partial<Record<Check, Policy>>
  /** Jaccard similarity of word 5-grams from which texts are near-duplicates. */
  similarity?: number
  /** Words in a run that counts as contamination; 8 to 13. */
  contaminationWords?: number
  constraints?: Constraint<RowOf[K]>[]
  /** Rows of other splits: neither their groups nor their prompts may be among these rows. */
  heldOut?: readonly HeldOut[]
  /** Evaluation rows: no run of their words may be among these rows. */
  evaluation?: readonly HeldOut[]
  /** Most tokens of a row, all texts together; needs `countTokens`. */
  tokenBudget?: number
  countTokens?: (text: string) => number
}

export type Reason = {
  check: Check
  detail: string
  /** Index of the earlier row that it clashes with. */
  other?: number
}
export type Finding<R> = { index: number; row: R; reasons: Reason[] }
/** Plain data: can be written as JSON. `counts`: rows in which each check found something, whatever its policy. */
export type CheckReport<K extends Kind> = {
  kind: K
  rows: number
  kept: RowOf[K][]
  setAside: Finding<RowOf[K]>[]
  notes: Finding<RowOf[K]>[]
  counts: Partial<Record<Check, number>>
  lengths: { unit: 'tokens' | 'characters'; least: number; median: number; most: number }
}

/** Texts repeat from judgement to judgement, so only answers are compared there. */
const OFF: Record<Kind, Check[]> = {
  prompts: ['identical-sides', 'contradiction'],
  demonstrations: ['identical-sides', 'contradiction'],
  comparisons: [],
  judgements: ['near-duplicate', 'leak-group', 'leak-text', 'contamination'],
  ratings: ['near-duplicate', 'identical-sides', 'contradiction', 'leak-group', 'leak-text', 'contamination'],
}

/** Looks at every row and says which to keep and why others are set aside. `rows` may carry a `split` field: training rows must not leak into the others. */
export function checkRows<K extends Kind>(rows: readonly RowOf[K][], options: CheckOptions<K>): CheckReport<K> {
  const {
    kind,
    similarity = 0.8,
    contaminationWords = 13,
    tokenBudget,
    countTokens,
    heldOut = [],
    evaluation = [],
  } = options
  if (tokenBudget !== undefined && !countTokens)
    throw new ConfigError('expected a tokenizer beside the token budget, got none: give a model')
  const policies = policiesOf(kind, options.policy)
  const all = rows.map((row) => textsOf(row, kind))
  const reasons: Reason[][] = rows.map(() => [])
  const lengths = all.map((texts) =>
    [texts.prompt, ...texts.replies].reduce((n, t) => n + (countTokens?.(t) ?? t.length), 0),
  )
  const unit = countTokens ? 'tokens' : 'characters'
  const isOn = (check: Check) => policies[check] !== 'off'
  const tell = (index: number, found: Iterable<Reason>) => {
    for (const reason of found) if (isOn(reason.check)) reasons[index]!.push(reason)
  }
  const limits = { ...lengthLimits(lengths), tokenBudget, unit }
  for (const [i, row] of rows.entries()) {
    tell(i, ownReasons(row, all[i]!, { constraints: options.constraints ?? [], isOn }))
    tell(i, lengthReasons(lengths[i]!, limits))
  }
  const isSetAside = (i: number) => reasons[i]!.some((reason) => policies[reason.check] === 'set-aside')
  const wrong = rows.map((_, i) => isSetAside(i))
  const rightFirst = [...rows.keys()].sort((a, b) => Number(wrong[a]) - Number(wrong[b]) || a - b)
  const leaks = isOn('leak-group') || isOn('leak-text') ? leakFinder(rows, all, { heldOut, similarity }) : undefined
  const contamination =
    isOn('contamination') && evaluation.length ? contaminationFinder(evaluation, contaminationWords) : undefined
  const repeats = repeatFinder(isOn('near-duplicate') ? new NearIndex(all.map(wholeText), similarity) : undefined)
  for (const i of rightFirst) {
    tell(i, leaks?.(i) ?? [])
    tell(i, contamination?.(all[i]!) ?? [])
    tell(i, repeats(all[i]!, i, !isSetAside(i)))
  }
  return report(rows, reasons, { kind, policies, lengths, unit })
}

function policiesOf(kind: Kind, given: Partial<Record<Check, Policy>> = {}): Record<Check, Policy> {
  const names = Object.keys(CHECKS) as Check[]
  const unknown = Object.keys(given).find((name) => !(name in CHECKS))
  if (unknown !== undefined) throw new ConfigError(`expected a check among ${names.join(', ')}, got ${unknown}`)
  const entries = names.map((name): [Check, Policy] => [name, given[name] ?? defaultPolicy(name, kind)])
  return Object.fromEntries(entries) as Record<Check, Policy>
}

/** An odd length is a hint; every other finding is a fault. */
function defaultPolicy(check: Check, kind: Kind): Policy {
  if (OFF[kind].includes(check)) return 'off'
  return check === 'length' ? 'note' : 'set-aside'
}

/** Finds repeats among the originals seen so far. */
function repeatFinder(
  near: NearIndex | undefined,
): (texts: ComparedTexts, index: number, isOriginal: boolean) => Reason[] {
  const answers = new Map<string, number>()
  const questions = new Map<string, number>()
  return (texts, index, isOriginal) => {
    const same = answers.get(texts.answer)
    if (same !== undefined) return [{ check: 'exact-duplicate', detail: `same as row ${same + 1}`, other: same }]
    const opposed = questions.get(texts.question)
    if (opposed !== undefined)
      return [{ check: 'contradiction', detail: `row ${opposed + 1} answers the opposite`, other: opposed }]
    const close = near?.find(index)
    if (close)
      return [
        {
          check: 'near-duplicate',
          detail: `${Math.round(close.similarity * 100)}% the words of row ${close.other + 1}`,
          other: close.other,
        },
      ]
    if (isOriginal) {
      answers.set(texts.answer, index)
      questions.set(texts.question, index)
      near?.add(index)
    }
    return []
  }
}

function report<K extends Kind>(
  rows: readonly RowOf[K][],
  reasons: Reason[][],
  {
    kind,
    policies,
    lengths,
    unit,
  }: { kind: K; policies: Record<Check, Policy>; lengths: number[]; unit: 'tokens' | 'characters' },
): CheckReport<K> {
  const counts: Partial<Record<Check, number>> = {}
  const result: CheckReport<K> = {
    kind,
    rows: rows.length,
    kept: [],
    setAside: [],
    notes: [],
    counts,
    lengths: summary(lengths, unit),
  }
  for (const [index, row] of rows.entries()) {
    const found = reasons[index]!
    for (const check of new Set(found.map((reason) => reason.check))) counts[check] = (counts[check] ?? 0) + 1
    const isSetAside = found.some((reason) => policies[reason.check] === 'set-aside')
    if (isSetAside) result.setAside.push({ index, row, reasons: found })
    else {
      result.kept.push(row)
      if (found.length) result.notes.push({ index, row, reasons: found })
    }
  }
  return result
}

function summary(lengths: number[], unit: 'tokens' | 'characters'): CheckReport<Kind>['lengths'] {
  const sorted = [...lengths].sort((a, b) => a - b)
  return { unit, least: sorted[0] ?? 0, median: middle(sorted), most: sorted.at(-1) ?? 0 }
}

// Checks that set rows aside with reasons before anybody trains on them. Each check looks for one thing; a policy says
// whether a finding sets the row aside, is noted, or is not looked for. Rows that are wrong by themselves never count as
// the original of a duplicate. Left out: language, licence, embeddings (near-duplicates are by words).
import { ConfigError } from '#errors'
import { contaminationFinder } from './contamination.ts'
import { leakFinder } from './leaks.ts'
import type { Kind, RowOf } from './normalise.ts'
import { Repeats } from './repeats.ts'
import { lengthLimits, lengthReasons, middle, ownReasons } from './row-checks.ts'
import { keysOf, textsOf } from './texts.ts'

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
  /** Index of the row that it clashes with: an earlier one of these rows, or one of those that `among` names. */
  other?: number
  among?: 'heldOut' | 'evaluation'
}
export type Finding<R> = { index: number; row: R; reasons: Reason[] }
type Summary = {
  rows: number
  /** Rows in which each check found something, whatever its policy. */
  counts: Partial<Record<Check, number>>
  lengths: { unit: 'tokens' | 'characters'; least: number; median: number; most: number }
}
/** What was found, without the rows themselves. `found`: in order of the rows; the rest have nothing. */
export type Inspection = Summary & { found: { index: number; reasons: Reason[]; isSetAside: boolean }[] }
/** Plain data: can be written as JSON. */
export type CheckReport<K extends Kind> = Summary & {
  kind: K
  kept: RowOf[K][]
  setAside: Finding<RowOf[K]>[]
  notes: Finding<RowOf[K]>[]
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
  const { found, counts, lengths } = inspectRows(rows, options)
  const findings = (isSetAside: boolean) =>
    found
      .filter((finding) => finding.isSetAside === isSetAside)
      .map(({ index, reasons }) => ({ index, row: rows[index]!, reasons }))
  return {
    kind: options.kind,
    rows: rows.length,
    kept: [...keptRows(rows, found)],
    setAside: findings(true),
    notes: findings(false),
    counts,
    lengths,
  }
}

/** The rows that an inspection did not set aside; can be gone through as often as the rows can. */
export function keptRows<R>(rows: Iterable<R>, found: Inspection['found']): Iterable<R> {
  return {
    *[Symbol.iterator]() {
      const setAside = found.filter(({ isSetAside }) => isSetAside)
      let next = 0
      let index = 0
      for (const row of rows) {
        if (setAside[next]?.index === index++) next++
        else yield row
      }
    },
  }
}

/** The same for rows that are not held: goes through them once, and up to three times more where leaks are looked for. */
export function inspectRows<K extends Kind>(rows: Iterable<RowOf[K]>, options: CheckOptions<K>): Inspection {
  const { kind, similarity = 0.8, tokenBudget, countTokens, heldOut = [] } = options
  if (tokenBudget !== undefined && !countTokens)
    throw new ConfigError('expected a tokenizer beside the token budget, got none: give a model')
  const policies = policiesOf(kind, options.policy)
  const isOn = (check: Check) => policies[check] !== 'off'
  const isFault = (reasons: Reason[] | undefined) =>
    reasons?.some(({ check }) => policies[check] === 'set-aside') ?? false
  const repeats = new Repeats(kind, { similarity, isNear: isOn('near-duplicate') })
  const { lengths, own, contaminated } = readTexts(rows, { options, isOn, repeats })
  const reasons = new Map<number, Reason[]>()
  const tell = (index: number, given: Iterable<Reason>) => {
    for (const reason of given) {
      if (!isOn(reason.check)) continue
      const before = reasons.get(index)
      if (before) before.push(reason)
      else reasons.set(index, [reason])
    }
  }
  const unit = countTokens ? ('tokens' as const) : ('characters' as const)
  const limits = { ...lengthLimits(lengths), tokenBudget, unit }
  for (let i = 0; i < lengths.length; i++) {
    tell(i, own.get(i) ?? [])
    tell(i, lengthReasons(lengths[i]!, limits))
  }
  const order = rightFirst(lengths.length, (i) => isFault(reasons.get(i)))
  const leaks = isOn('leak-group') || isOn('leak-text') ? leakFinder(rows, { heldOut, similarity }) : undefined
  for (const i of order) {
    if (leaks) tell(i, leaks(i))
    tell(i, contaminated.get(i) ?? [])
    tell(i, repeats.find(i, !isFault(reasons.get(i))))
  }
  const found = [...reasons].map(([index, own]) => ({ index, reasons: own, isSetAside: isFault(own) }))
  found.sort((a, b) => a.index - b.index)
  return { rows: lengths.length, found, counts: countsOf(found), lengths: summary(lengths, unit) }
}

type Seen = { lengths: Float64Array; own: Map<number, Reason[]>; contaminated: Map<number, Reason[]> }

/** What each row shows by itself or beside the evaluation. Its texts are let go of afterwards. */
function readTexts<K extends Kind>(
  rows: Iterable<RowOf[K]>,
  { options, isOn, repeats }: { options: CheckOptions<K>; isOn: (check: Check) => boolean; repeats: Repeats },
): Seen {
  const { kind, contaminationWords = 13, constraints = [], evaluation = [], countTokens } = options
  const contamination =
    isOn('contamination') && evaluation.length ? contaminationFinder(evaluation, contaminationWords) : undefined
  const lengths: number[] = []
  const own = new Map<number, Reason[]>()
  const contaminated = new Map<number, Reason[]>()
  for (const row of rows) {
    const index = lengths.length
    const texts = textsOf(row)
    const found = [...ownReasons(row, texts, { constraints, isOn })]
    if (found.length) own.set(index, found)
    const runs = contamination?.(texts) ?? []
    if (runs.length) contaminated.set(index, runs)
    repeats.take(keysOf(row, kind, texts), texts)
    lengths.push([texts.prompt, ...texts.replies].reduce((n, t) => n + (countTokens?.(t) ?? t.length), 0))
  }
  return { lengths: Float64Array.from(lengths), own, contaminated }
}

/** Rows that are wrong by themselves come last, so that none of them is the original of a duplicate. */
function rightFirst(rows: number, isWrong: (index: number) => boolean): Uint32Array {
  const order = new Uint32Array(rows)
  const wrong: number[] = []
  let right = 0
  for (let i = 0; i < rows; i++) {
    if (isWrong(i)) wrong.push(i)
    else order[right++] = i
  }
  order.set(wrong, right)
  return order
}

/** What becomes of each check's findings in rows of a kind. */
export function policiesOf(kind: Kind, given: Partial<Record<Check, Policy>> = {}): Record<Check, Policy> {
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

function countsOf(found: Inspection['found']): Inspection['counts'] {
  const counts: Inspection['counts'] = {}
  for (const { reasons } of found)
    for (const check of new Set(reasons.map((reason) => reason.check))) counts[check] = (counts[check] ?? 0) + 1
  return counts
}

function summary(lengths: Float64Array, unit: 'tokens' | 'characters'): Inspection['lengths'] {
  const sorted = lengths.toSorted()
  return { unit, least: sorted[0] ?? 0, median: middle(sorted), most: sorted.at(-1) ?? 0 }
}

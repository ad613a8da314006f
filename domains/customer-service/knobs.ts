// Every number of the simulated customer-service world: styles of the experts, faults planted in demonstrations, the
// gold score, the annotators, the mix of general text. Turn them here and nowhere else; worldHash() covers this file.
import type { CriterionSettings, CrowdSettings, GoldWeights } from '#simulate'

/** How often customers ask what; refund twice as often. */
export const INTENT_WEIGHTS: Record<string, number> = {
  late: 1,
  refund: 2,
  damaged: 1,
  billing: 1,
  cancel: 1,
  return: 1,
  stock: 1,
  login: 1,
}
export const MOOD_WEIGHTS: Record<string, number> = { calm: 0.4, worried: 0.2, upset: 0.2, furious: 0.2 }

/** Probabilities of one expert's choices. Lists: greeting [right, other, none]; fact [right, wrong, vague]; courtesies [0, 1, 2, 3]. */
export type Expert = {
  name: string
  weight: number
  greeting: [number, number, number]
  empathy: { upset: number; calm: number }
  fact: [number, number, number]
  escalation: { due: number; notDue: number }
  offBrand: number
  courtesies: [number, number, number, number]
  padding: number
  signOff: number
  /** Promises the amount although it is above the limit. */
  promise: number
}

export const EXPERTS: readonly Expert[] = [
  {
    name: 'ideal',
    weight: 0.15,
    greeting: [0.9, 0.05, 0.05],
    empathy: { upset: 0.95, calm: 0.05 },
    fact: [0.98, 0.01, 0.01],
    escalation: { due: 0.95, notDue: 0.02 },
    offBrand: 0,
    courtesies: [0.5, 0.4, 0.1, 0],
    padding: 0.02,
    signOff: 0.95,
    promise: 0.02,
  },
  {
    name: 'cold',
    weight: 0.25,
    greeting: [0.15, 0.02, 0.83],
    empathy: { upset: 0.05, calm: 0.02 },
    fact: [0.95, 0.03, 0.02],
    escalation: { due: 0.7, notDue: 0.03 },
    offBrand: 0.2,
    courtesies: [0.95, 0.05, 0, 0],
    padding: 0.02,
    signOff: 0.2,
    promise: 0.15,
  },
  {
    name: 'verbose',
    weight: 0.2,
    greeting: [0.75, 0.08, 0.17],
    empathy: { upset: 0.85, calm: 0.5 },
    fact: [0.9, 0.05, 0.05],
    escalation: { due: 0.7, notDue: 0.1 },
    offBrand: 0.02,
    courtesies: [0.05, 0.3, 0.35, 0.3],
    padding: 0.45,
    signOff: 0.6,
    promise: 0.25,
  },
  {
    name: 'forgets',
    weight: 0.25,
    greeting: [0.6, 0.08, 0.32],
    empathy: { upset: 0.6, calm: 0.1 },
    fact: [0.92, 0.05, 0.03],
    escalation: { due: 0.1, notDue: 0.02 },
    offBrand: 0.05,
    courtesies: [0.5, 0.4, 0.1, 0],
    padding: 0.05,
    signOff: 0.5,
    promise: 0.5,
  },
  {
    name: 'sloppy',
    weight: 0.15,
    greeting: [0.3, 0.3, 0.4],
    empathy: { upset: 0.3, calm: 0.15 },
    fact: [0.5, 0.25, 0.25],
    escalation: { due: 0.5, notDue: 0.25 },
    offBrand: 0.35,
    courtesies: [0.6, 0.3, 0.1, 0],
    padding: 0.2,
    signOff: 0.2,
    promise: 0.5,
  },
]

/** Faults planted in training demonstrations, as shares of rows, beside the violations that experts make themselves. */
export const FAULTS = {
  exactDuplicate: 0.02,
  nearDuplicate: 0.02,
  leakedCustomer: 0.015,
  malformed: 0.01,
}

/** Rows that one customer sends: 1, 2 or 3. */
export const ROWS_PER_CUSTOMER = [0.5, 0.3, 0.2]

/**
 * The gold score. A learnt reward that sees only the average over situations must not gain by doing a thing always: a third
 * of the situations call for the manager, so escalating always loses a little, and so does greeting by lot.
 */
export const GOLD: GoldWeights = {
  fact: { right: 0.7, wrong: -0.5 },
  empathy: { called: 0.8, uncalled: -0.5 },
  escalation: { due: 0.8, missed: -0.4, uncalled: -0.75, wrongManager: -0.3 },
  greeting: { right: 0.4, wrong: -0.4 },
  brand: { signOff: 0.6, offBrand: -0.7, mostOffBrand: 2 },
  courtesy: { first: 0.2 },
  conciseness: { padding: -0.5, mostPadding: 2, perPiece: -0.006, freePieces: 36 },
  range: {
    repeated: -0.5,
    each: -0.45,
    most: { courtesyAndPadding: 4, empathy: 1, escalation: 1, signOff: 1, greeting: 1, fact: 1 },
    perPiece: -0.06,
    freePieces: 54,
    unknown: -0.4,
    mostUnknown: 3,
    unfinished: -0.5,
    floor: -4,
  },
  violation: -1.2,
}

export const CRITERION: CriterionSettings = { conciseness: { perPiece: 0.02, freePieces: 54 } }

/**
 * Of 16, 13 are regular or lean to the left. Skills differ widely and leanings are strong, so that weighing people by
 * their reliability pays also after qualification has turned spammers away. The liking for length ends where
 * demonstrations end: annotators do not want what lies beyond, but a reward learnt from them extrapolates.
 */
export const CROWD: CrowdSettings = {
  regular: { count: 9, skill: [0.5, 3.8] },
  leaning: { count: 4, skill: [1, 2.6], leftBias: [1, 2.2] },
  spammer: { count: 2, leftBiasDeviation: 0.3 },
  adversary: { count: 1, skill: -2 },
  lengthLiking: 0.35,
  lengthUpTo: 48,
  attention: { fact: 1.3, escalation: 1.3, violation: 1.3 },
}

/** Shares of documents in the base corpus. `general` is split further by GENERAL_MIX. */
export const CORPUS_MIX: Record<'echo' | 'notes' | 'tickets' | 'messages' | 'loose' | 'general', number> = {
  echo: 0.25,
  notes: 0.32,
  tickets: 0.1,
  messages: 0.03,
  loose: 0.06,
  general: 0.24,
}
/** Text for general perplexity and replay: nothing of the desk in it. */
export const GENERAL_MIX: Record<'story' | 'sums' | 'list' | 'chatter' | 'lookup' | 'echo', number> = {
  story: 0.3,
  sums: 0.2,
  list: 0.15,
  chatter: 0.15,
  lookup: 0.15,
  echo: 0.05,
}

// The round of gold items that may stand before a campaign's first task: whether this person has passed it, is in it, or has
// failed and may try again. A round is concluded once, when its last answer is in, and stays as it was.
import { passes, qualify } from '#feedback'
import type { Choice, Prompt } from '#schema'
import { wilson } from '#stats'
import {
  audit,
  type CampaignFacts,
  concludeAttempt,
  type GoldJudgement,
  listAttemptAnswers,
  listAttempts,
  listOpenGold,
  type Project,
  type QualificationRule,
  retryState,
  type Store,
  type User,
} from '#store'

export type Gate =
  | { state: 'open'; done: number; of: number }
  | { state: 'passed'; right: number; of: number }
  | {
      state: 'failed'
      right: number
      of: number
      asked: string
      mayRetry: boolean
      wrong: {
        prompt: Prompt
        left: string
        right: string
        choice: Choice
        strength: number | null
        better: 'left' | 'right'
        why: string
      }[]
    }

/** Undefined: the campaign has no such round. */
export async function gateOf(
  store: Store,
  { project, campaign, user }: { project: Project; campaign: CampaignFacts; user: User },
): Promise<Gate | undefined> {
  const rule = campaign.qualification
  if (!rule) return undefined
  const { query } = store
  const [last] = await listAttempts(query, campaign.id, user.id)
  if (last?.passed) return { state: 'passed', right: last.right, of: last.answers }
  const answered = await listOpenGold(query, campaign.id, user.id)
  if (last && answered.length === 0) {
    const { unseen, hasReread } = await retryState(query, campaign.id, { user: user.id, since: last.at })
    const mayRetry = rule.mayRetry && unseen >= rule.items
    if (!(mayRetry && hasReread)) {
      const answers = await listAttemptAnswers(query, last.judgements)
      const asked = askedBy(rule)
      return { state: 'failed', right: last.right, of: last.answers, asked, mayRetry, wrong: answers.flatMap(wrongOf) }
    }
  }
  if (answered.length < rule.items) return { state: 'open', done: answered.length, of: rule.items }
  const made = answered.slice(0, rule.items)
  const [report] = qualify({
    judgements: made.map(({ item, left, right, choice }) => ({ item, left, right, choice, annotator: user.id })),
    gold: made.map((answer) => ({ item: answer.item, better: answer[answer.better] })),
  })
  const { accuracy } = report!
  const concluded = {
    user: user.id,
    attempt: (last?.attempt ?? 0) + 1,
    passed: passes(report!, rule.mark),
    right: accuracy.value * made.length,
    answers: made.length,
    low: accuracy.low,
    judgements: made.map(({ id }) => id),
  }
  await store.transaction(async (statement) => {
    if (!(await concludeAttempt(statement, campaign.id, concluded))) return
    const { attempt, passed, right, answers } = concluded
    const detail = { attempt, passed, right, answers }
    await audit(statement, {
      actor: user.id,
      project: project.id,
      action: 'qualification.conclude',
      subject: campaign.id,
      detail,
    })
  })
  return gateOf(store, { project, campaign, user })
}

/** Ties and both bad are half right, and are shown: why one is better is what there is to learn. */
function wrongOf({ prompt, left, right, choice, strength, better, note }: GoldJudgement) {
  return choice === better ? [] : [{ prompt, left, right, choice, strength, better, why: note }]
}

export function askedBy({ items, mark }: QualificationRule): string {
  return 'right' in mark
    ? `${mark.right} of ${items} right`
    : `a share of right answers whose 95% lower bound is at least ${mark.low}`
}

/** Why a rule could never be met, or would do nothing; undefined: it is sound. */
export function faultOf(rule: QualificationRule, goldItems: number): string | undefined {
  const { items, mark } = rule
  if (items > goldItems) return `items: expected at most the campaign's ${goldItems} gold items, got ${items}`
  if ('right' in mark && mark.right > items) return `mark: ${mark.right} right answers of ${items} cannot be given`
  const best = wilson(items, items).low
  if ('low' in mark && mark.low > best)
    return `mark: with all ${items} right the lower bound is ${best.toFixed(3)}; ask for less, or for more items`
  return undefined
}

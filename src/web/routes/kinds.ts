// What campaigns of each kind are made of, in the words of screens, and the screen on which the work is done.
import type { AnswerOf } from '#server/contract'

type Kind = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>['kind']
type OfKind = {
  /** What an item is, and what is given to it. */
  item: string
  given: string
  work: '/p/$project/judge/$campaign' | '/p/$project/write/$campaign' | '/p/$project/rate/$campaign'
  /** On the button that leads there. */
  verb: string
  done: string
}

export const KINDS: Record<Kind, OfKind> = {
  pairs: { item: 'pair', given: 'judgement', work: '/p/$project/judge/$campaign', verb: 'Judge', done: 'Judged' },
  demonstrations: {
    item: 'prompt',
    given: 'demonstration',
    work: '/p/$project/write/$campaign',
    verb: 'Write',
    done: 'Written',
  },
  ratings: { item: 'answer', given: 'rating', work: '/p/$project/rate/$campaign', verb: 'Rate', done: 'Rated' },
  rankings: { item: 'prompt', given: 'ranking', work: '/p/$project/rate/$campaign', verb: 'Rank', done: 'Ranked' },
}

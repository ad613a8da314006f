// Whether a reward model may enter RL, by the one figure that its run records on pairs it was not trained on. The whole
// ticket (reward-ticket.ts) says more; this is what no run goes without unless its config says so.
import type { Interval } from '#stats'

/** Why not, in words that follow the model's name; undefined where it has its ticket. */
export function ticketRefusal(accuracy: Interval | undefined): string | undefined {
  if (!accuracy) return 'has no ticket: its run measured no accuracy on held-out pairs'
  const { value, low, high } = accuracy
  if (low > 0.5) return undefined
  const figures = `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
  return `has no ticket: it is right on ${figures} of held-out pairs, not shown to be better than chance`
}

/** What gives a reward model its ticket. */
export const HOW_TO_GET_A_TICKET = 'train it with held-out pairs, on more judgements where it had them'

// The loop as a picture: seven steps around a ring, each with its state and its one number. It is a list with links, so
// that it reads in order by itself; a wide page lays it out around a drawn ring, a phone as a line.
import type { Report, StepName } from '#schema'
import { STEPS } from '#schema'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { counted, fixed, interval, number, percent, short, signed } from './numbers.ts'

export const STEP_TITLES: Record<StepName, string> = {
  objectives: 'Objectives',
  demonstrations: 'Demonstrations',
  sft: 'Supervised fine-tuning',
  protocol: 'Comparison protocol',
  reward: 'Reward model',
  rl: 'Reinforcement learning',
  evaluation: 'Evaluation and release',
}

/** The ring and its middle, px; the style sheet is told where its steps lie. */
const RING = { width: 580, height: 500, x: 290, y: 248, radius: 150 }

type Key = { key: string; note: string }

/** The number a lead asks for first, of each step that has run. */
function keyOf(report: Report, step: StepName): Key | undefined {
  const { objectives, demonstrations, sft, protocol, reward, rl, evaluation } = report
  switch (step) {
    case 'objectives': {
      const criteria = objectives?.flatMap((o) => o.criteria) ?? []
      const constraints = criteria.filter((c) => c.constraint).length
      return (
        objectives && {
          key: counted(criteria.length, 'criterion', 'criteria'),
          note: counted(constraints, 'constraint', 'constraints'),
        }
      )
    }
    case 'demonstrations':
      return (
        demonstrations && {
          key: number(demonstrations.rows),
          note: `rows, ${number(demonstrations.setAside)} set aside`,
        }
      )
    case 'sft':
      return (
        sft &&
        (sft.floor === undefined
          ? { key: fixed(3)(sft.heldOutLoss), note: 'held-out nats a token' }
          : { key: `${fixed(2)(sft.heldOutLoss / sft.floor)} \u00d7`, note: 'loss over entropy floor' })
      )
    case 'protocol':
      return (
        protocol && {
          key: `\u03b1 ${fixed(2)(protocol.alpha.value)}`,
          note: `${number(protocol.annotators)} annotators`,
        }
      )
    case 'reward':
      return reward && { key: percent(reward.accuracy.value), note: `right, ceiling ${percent(reward.ceiling.value)}` }
    case 'rl':
      return rl && { key: signed(fixed(2))(rl.goldGain.value), note: `gold, at ${number(rl.kl)} nats` }
    case 'evaluation':
      return evaluation && { key: percent(evaluation.winRate.value), note: `wins, ${evaluation.verdict}` }
    default:
      return step satisfies never
  }
}

export function loopPicture(report: Report): Markup {
  const verdict = report.evaluation?.verdict
  const items = STEPS.map((step, i) => {
    const key = keyOf(report, step)
    const state = !key ? 'missing' : step === 'evaluation' ? `done end-${verdict}` : 'done'
    return html`<li class="${state}"><a href="#${step}"><span class="dot">${i + 1}</span><span class="node"><span class="node-name">${STEP_TITLES[step]}</span><span class="node-key">${key ? key.key : 'not yet'}</span><span class="node-note">${key?.note}</span></span></a></li>`
  })
  const done = STEPS.filter((s) => keyOf(report, s)).length
  return html`<nav class="loop-wrap" aria-label="The seven steps of the loop">${ring()}<ol class="loop">${items}</ol><p class="loop-centre">${centre(report, done)}</p></nav>`
}

function centre(report: Report, done: number): Markup {
  const { rl } = report
  if (done < STEPS.length) return html`<b>${done} of ${STEPS.length} steps</b>have run so far`
  return html`<b>One turn of the loop</b>${rl ? html`${number(rl.kl)} nats${rl.budget ? html` of ${number(rl.budget)}` : undefined} spent` : undefined}; what was learnt goes into the next objective`
}

/** The ring with an arrowhead between every two steps. */
function ring(): Markup {
  const { width, height, x, y, radius } = RING
  const heads = STEPS.map((_, i) => {
    const angle = ((i + 0.5) / STEPS.length) * 2 * Math.PI - Math.PI / 2
    const at = `${(x + radius * Math.cos(angle)).toFixed(1)} ${(y + radius * Math.sin(angle)).toFixed(1)}`
    return html`<path class="ring-arrow" d="M-4 -5L3 0L-4 5" transform="translate(${at}) rotate(${((angle * 180) / Math.PI + 90).toFixed(1)})"/>`
  })
  return html`<svg class="loop-ring" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true"><circle class="ring-line" cx="${x}" cy="${y}" r="${radius}"/>${heads}</svg>`
}

/** The verdict in a word and a sentence, from the gates' own evidence. */
export function verdict(report: Report): Markup {
  const { evaluation, rl } = report
  if (!evaluation) {
    const done = STEPS.filter((s) => keyOf(report, s))
    const next = STEPS.find((s) => !keyOf(report, s))
    return html`<h1>Not judged yet</h1><p class="lead">${done.length} of the ${STEPS.length} steps have run${next && html`; the next one is ${STEP_TITLES[next].toLowerCase()}`}. A verdict needs an evaluation with gates.</p>`
  }
  const failed = evaluation.gates.filter((g) => !g.passed)
  const subject = evaluation.checkpoint
    ? html`Checkpoint <span class="mono">${short(evaluation.checkpoint)}</span>`
    : html`The checkpoint`
  const gain =
    rl &&
    html` On ${rl.prompts === undefined ? 'fixed' : html`the same ${number(rl.prompts)}`} prompts the gold score changed by ${interval(rl.goldGain, signed(fixed(2)))};`
  const wins = html` ${gain ? 'its' : 'Its'} blind win rate against SFT is ${interval(evaluation.winRate, percent)}.`
  const reasons = evaluation.reasons?.length
    ? html`<ul class="reasons">${evaluation.reasons.map((r) => html`<li>${r}</li>`)}</ul>`
    : undefined
  if (evaluation.verdict === 'released')
    return html`<h1 class="is-released">Released</h1><p class="lead">${subject} passed ${evaluation.gates.length === 1 ? 'its gate' : html`all ${evaluation.gates.length} gates`}.${gain}${wins}</p>${reasons}`
  return html`<h1 class="is-refused">Refused</h1><p class="lead">${subject} failed ${failed.length} of ${evaluation.gates.length} gates${failed.length > 0 && html`: ${failed.map((g) => g.name).join('; ')}`}.${gain}${wins}</p>${reasons ?? html`<ul class="reasons">${failed.map((g) => html`<li>${g.name}: ${g.evidence}</li>`)}</ul>`}`
}

/** Where the steps lie on the ring, as rules: the content policy forbids style attributes. */
export const RING_STYLE = STEPS.map((_, i) => {
  const angle = (i / STEPS.length) * 2 * Math.PI - Math.PI / 2
  return `.loop li:nth-child(${i + 1}){left:${(RING.x + RING.radius * Math.cos(angle)).toFixed(1)}px;top:${(RING.y + RING.radius * Math.sin(angle)).toFixed(1)}px}`
}).join('\n')

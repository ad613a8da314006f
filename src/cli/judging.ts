// Blind judging at a terminal: one pair at a time, sides drawn by hash of seed, item and annotator, sources never shown.
// Each answer is on disk before the next pair is shown, so quitting, Ctrl-C and a crash lose at most the pair on screen.
// Left out: reasons, which rows of judgements have no field for yet.
import { sideOf } from '#feedback'
import { openLog } from '#files'
import type { Comparison, Judgement } from '#schema'
import { deriveSeed, generator } from '#stats'

export type Terminal = {
  /** One line of the person's, or undefined when there will be no more. */
  ask: (question: string) => Promise<string | undefined>
  show: (text: string) => void
  /** Characters in a line. */
  width: number
}
export type Session = {
  comparisons: readonly Comparison[]
  /** Judgements that are in the file already. */
  before: readonly Judgement[]
  annotator: string
  /** File of judgement rows, appended to. */
  file: string
  seed: number
  guideline?: string | undefined
  /** Asked about this criterion alone; absent: all things considered. */
  criterion?: string | undefined
  /** Id of the objective that is judged under. */
  objective?: string | undefined
}
export type Judged = { judged: number; left: number }

const CHOICES: Record<string, Judgement['choice']> = {
  '1': 'left',
  '2': 'right',
  t: 'tie',
  b: 'both-bad',
  c: 'cannot-judge',
}
const HELP = `1 or 2: that answer is better; add 1 slight to 4 strong, as in "1 3"
t: equally good   b: both bad   c: I cannot judge   u: undo   q: quit, to go on later   ?: this help`
/** Control characters, line breaks aside, and those that turn the direction of writing. */
const STEERING = /[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
/** Two columns need this much; below it answers stand one above the other. */
const LEAST_WIDTH_FOR_COLUMNS = 100

/** Shows what this annotator has not judged yet and appends the answers. Ends at `q`, at the end of input, or when all is judged. */
export async function judge(session: Session, terminal: Terminal): Promise<Judged> {
  const { comparisons, before, annotator, file, seed, guideline, criterion, objective } = session
  const done = new Set(
    before.flatMap((row) => (row.annotator === annotator && row.criterion === criterion ? [row.item] : [])),
  )
  const order = generator(deriveSeed(seed, 'order', annotator)).shuffle(comparisons)
  const open = order.filter(({ item }) => !done.has(item))
  /** Length of the file before each answer of this session: what undo cuts back to. */
  const lengths: number[] = []
  let log = openLog(file)
  terminal.show(criterion === undefined ? HELP : `${HELP}\njudge by ${criterion} alone`)
  try {
    while (lengths.length < open.length) {
      const comparison = open[lengths.length]!
      const isALeft = sideOf(seed, comparison.item, annotator)
      const shown = { left: isALeft ? comparison.a : comparison.b, right: isALeft ? comparison.b : comparison.a }
      terminal.show(`\n${done.size + lengths.length + 1} of ${done.size + open.length}\n`)
      terminal.show(layOut(comparison.prompt, shown, terminal.width))
      const began = performance.now()
      const answer = await askUntilClear(terminal, lengths.length > 0)
      if (answer === 'quit') break
      if (answer === 'undo') {
        log.close()
        log = openLog(file, { cutTo: lengths.pop()! })
        log.sync()
        continue
      }
      lengths.push(log.bytes())
      const time = Math.round((performance.now() - began) / 100) / 10
      const { item, prompt } = comparison
      log.append({
        item,
        annotator,
        prompt,
        ...shown,
        ...answer,
        time,
        ...(guideline === undefined ? {} : { guideline }),
        ...(criterion === undefined ? {} : { criterion }),
        ...(objective === undefined ? {} : { objective }),
      } satisfies Judgement)
      log.sync()
    }
  } finally {
    log.close()
  }
  return { judged: lengths.length, left: open.length - lengths.length }
}

type Answer = Pick<Judgement, 'choice' | 'strength'>

async function askUntilClear({ ask, show }: Terminal, canUndo: boolean): Promise<Answer | 'quit' | 'undo'> {
  for (;;) {
    const line = await ask('better > ')
    const word = line?.trim().toLowerCase()
    if (word === undefined || word === 'q') return 'quit'
    if (word === 'u' && canUndo) return 'undo'
    const [, key, strength] = /^([12tbc])(?: ?([1-4]))?$/.exec(word) ?? []
    const isDecided = key === '1' || key === '2'
    if (key !== undefined && (isDecided || strength === undefined))
      return { choice: CHOICES[key]!, ...(strength === undefined ? {} : { strength: Number(strength) }) }
    show(word === 'u' ? 'nothing to undo in this session' : HELP)
  }
}

/** Prompt above, answers side by side where there is room. */
function layOut(prompt: Comparison['prompt'], { left, right }: { left: string; right: string }, width: number): string {
  const top = wrap(promptText(prompt), width).join('\n')
  if (width < LEAST_WIDTH_FOR_COLUMNS)
    return `${top}\n\n[1]\n${wrap(left, width).join('\n')}\n\n[2]\n${wrap(right, width).join('\n')}\n`
  const half = Math.floor((width - 3) / 2)
  const columns = [
    ['[1]', ...wrap(left, half)],
    ['[2]', ...wrap(right, half)],
  ] as const
  const height = Math.max(columns[0].length, columns[1].length)
  const rows = Array.from({ length: height }, (_, i) =>
    `${(columns[0][i] ?? '').padEnd(half)} | ${columns[1][i] ?? ''}`.trimEnd(),
  )
  return `${top}\n\n${rows.join('\n')}\n`
}

/** A prompt for people: turns one below the other, each with its role. */
export function promptText(prompt: Comparison['prompt']): string {
  return typeof prompt === 'string' ? prompt : prompt.map(({ role, content }) => `${role}: ${content}`).join('\n')
}

/** Lines of at most `width` characters, broken at spaces. What a model wrote may not steer the terminal. */
export function wrap(text: string, width: number): string[] {
  const safe = text.replace(/\r\n?/g, '\n').replaceAll('\t', '  ').replace(STEERING, '\u{fffd}')
  return safe.split('\n').flatMap((line) => {
    const lines: string[] = []
    let rest = line
    while (rest.length > width) {
      const space = rest.lastIndexOf(' ', width)
      const end = space > 0 ? space : width
      lines.push(rest.slice(0, end))
      rest = rest.slice(space > 0 ? end + 1 : end)
    }
    return [...lines, rest]
  })
}

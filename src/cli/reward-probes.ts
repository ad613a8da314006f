// Probes of a reward model on the completions of its held-out pairs, and the drift of its scores to a policy's samples.
import { readRows } from '#data'
import { DataError } from '#errors'
import {
  FEWEST_PROMPTS,
  perturb,
  type Perturbed,
  type ProbeResult,
  probeResults,
  type ProbeResults,
  scoreDrift,
  type ScoreDrift,
} from '#evaluate'
import { deriveSeed, generator } from '#stats'
import { figure, type Output } from './output.ts'
import { type Scorer, scoreTexts, type Text, type TextScore } from './reward-scores.ts'

/** A held-out completion and what the reward model says of it. */
export type ScoredText = Text & TextScore
type Asked = { seed: number; signal?: AbortSignal | undefined; out: Output }
/** What is found at one level of the intervals. */
export type AtLevel<T> = (level: number) => T

/** `chosen` and `made`: the completions that were changed, and what was made of them. */
export type Probed = { at: AtLevel<ProbeResults>; chosen: ScoredText[]; made: Perturbed[] }

/** Changes up to `most` completions, of whole prompts drawn by seed, and scores them again. */
export async function probeReward(
  opened: Scorer,
  texts: readonly ScoredText[],
  { most, seed, signal, out }: Asked & { most: number },
): Promise<Probed> {
  const chosen = drawPrompts(texts, { most, seed })
  const made = perturb(
    chosen.map(({ completion }) => completion),
    { seed },
  )
  const again = await scoreTexts(
    opened,
    made.map(({ row, completion }) => ({ prompt: chosen[row]!.prompt, completion })),
    { signal, out, what: 'changed completions' },
  )
  const changed = made.flatMap(({ probe, row }, i) => (again[i] ? [{ probe, row, score: again[i].score }] : []))
  const scored = {
    scores: chosen.map(({ score }) => score),
    groups: chosen.map(({ group }) => group),
    changed,
  }
  return { at: (level) => probeResults(scored, { seed, level }), chosen, made }
}

/** Each text once, and whole prompts, until `most` is reached. */
function drawPrompts(texts: readonly ScoredText[], { most, seed }: { most: number; seed: number }): ScoredText[] {
  const byPrompt = new Map<string, Map<string, ScoredText>>()
  for (const text of texts) {
    const own = byPrompt.get(text.group) ?? new Map<string, ScoredText>()
    byPrompt.set(text.group, own.set(text.completion, text))
  }
  const chosen: ScoredText[] = []
  for (const own of generator(deriveSeed(seed, 'probes')).shuffle([...byPrompt.values()])) {
    if (chosen.length > 0 && chosen.length + own.size > most) break
    chosen.push(...own.values())
  }
  return chosen
}

/** Where the scores of the policy's completions lie against those of the pairs. */
export async function driftOf(
  opened: Scorer,
  texts: readonly ScoredText[],
  { file, seed, signal, out }: Asked & { file: string },
): Promise<AtLevel<ScoreDrift>> {
  // A policy may have answered nothing, which no demonstration does.
  const { rows, setAside } = await readRows(file, { kind: 'demonstrations', wrong: 'set-aside' })
  const [first] = setAside
  if (first && rows.length === 0)
    throw new DataError(
      `--samples: expected rows {prompt, completion}: ${first.error.message}`,
      {},
      { cause: first.error },
    )
  if (first) out.say(`samples: ${setAside.length} rows are set aside; ${first.error.message}`)
  const policy = (await scoreTexts(opened, rows, { signal, out, what: 'samples' })).flatMap((score) => score ?? [])
  if (policy.length === 0) throw new DataError('expected at least one sample that fits the model, got none', { file })
  return (level) => scoreDrift({ checked: texts, policy }, { seed, level })
}

/** A line a probe, then what fails in words, and what could not be asked. */
export function probeLines({ probes, leftOut }: ProbeResults): string[] {
  const percent = (share: number) => `${Math.round(100 * share)}%`
  const line = ({ name, expects, change, rose, rows }: ProbeResult) =>
    `probe ${name.padEnd(11)} ${(expects === 'fall' ? 'should lower' : 'should not raise').padEnd(16)}  ${figure(change.value)} sd [${figure(change.low)}, ${figure(change.high)}]  rose in ${percent(rose.value)} [${percent(rose.low)}, ${percent(rose.high)}] of ${rows}  n = ${change.n}`
  return [
    ...probes.map(line),
    ...probes.flatMap(({ flag }) => (flag === undefined ? [] : [`fails: ${flag}`])),
    ...leftOut.map(
      ({ name, rows }) =>
        `probe ${name} is left out: ${rows} completions can be changed so, which takes ${FEWEST_PROMPTS} prompts or more`,
    ),
  ]
}

// hone label suggest: what a reward model says of each pair, as the two columns that a campaign reads: `margin`, its log-odds
// that a is better, and `marginBy`, its name. Order by uncertainty and suggestions to annotators are made of them.
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { writeRows } from '#data'
import { ConfigError, DataError } from '#errors'
import type { Comparison } from '#schema'
import { scoreScale } from '#trainer'
import { withModel } from './completions.ts'
import { type Common, fileOf, formatOf } from './data-source.ts'
import { DTYPE_FLAG } from './dtype.ts'
import { readComparisons } from './judged-rows.ts'
import { writeMade } from './made-file.ts'
import { output } from './output.ts'
import { scoreTexts } from './reward-scores.ts'
import { stoppable } from './stop.ts'

type Options = Common & { reward: string; out: string; device: string; dtype?: string }
type Suggested = Comparison & { margin?: number; marginBy?: string; suggestion?: unknown }

export function labelSuggest(add: (name: string, help: string) => Command): void {
  add('suggest <comparisons>', 'a reward model says of each pair {item, prompt, a, b} which side it holds to be better')
    .requiredOption('--reward <model>', 'reward model: folder or run')
    .requiredOption('--out <file>', 'the rows with margin and marginBy: .jsonl, .json, .csv or .parquet')
    .option('--device <device>', 'cpu, or cuda:0', 'cpu')
    .option(...DTYPE_FLAG)
    .action(suggest)
}

async function suggest(source: string, options: Options): Promise<void> {
  const out = output(options)
  const format = formatOf(options.out)
  const { file } = fileOf('comparisons', source, options)
  if (file === resolve(options.out)) throw new ConfigError('--out: expected another file than the one that is read')
  const comparisons: Suggested[] = await readComparisons(source, options)
  const said = comparisons.find(({ suggestion }) => suggestion !== undefined && suggestion !== null)
  if (said)
    throw new DataError(
      `item ${said.item} has a suggestion, beside which margin would be ignored: take the field suggestion out`,
      { file },
    )
  const name = basename(resolve(options.reward))
  const { reward: flag, device, dtype } = options
  const { margins, folder } = await stoppable((signal) =>
    withModel({ name: flag, device, ...(dtype !== undefined && { dtype }), flag: '--reward' }, async (opened) => {
      const texts = comparisons.flatMap(({ prompt, a, b }) => [a, b].map((completion) => ({ prompt, completion })))
      const scores = await scoreTexts(opened, texts, { signal, out, what: 'completions' })
      const logits = scoreScale(opened.folder)
      const margins = comparisons.map((_, i) => {
        const [a, b] = [scores[2 * i], scores[2 * i + 1]]
        return a && b ? logits * (a.score - b.score) : undefined
      })
      return { margins, folder: opened.folder }
    }),
  )
  const rows = comparisons.map((row, i): Suggested => {
    const { margin: _, marginBy: __, ...rest } = row
    return margins[i] === undefined ? rest : { ...rest, margin: margins[i], marginBy: name }
  })
  const count = margins.filter((margin) => margin !== undefined).length
  if (count === 0) throw new DataError('expected at least one pair that fits the model, got none', { file })
  writeRows(options.out, rows, { kind: 'comparisons', format })
  writeMade(options.out, {
    by: 'label suggest',
    parents: { comparisons: file },
    models: { reward: folder },
    guidelines: [],
    settings: {},
  })
  out.event({ event: 'done', pairs: rows.length, suggested: count, by: name, file: options.out })
  out.say(`${count} of ${rows.length} pairs have a margin by ${name} in ${options.out}`)
}

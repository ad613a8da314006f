// Suggestions beside the pairs of a campaign: whether people see them and when, and how far they lean on them.
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { IntervalBar } from '../interval-bar.tsx'
import { Field, Loading, Problem, textsOf } from '../parts.tsx'
import { many } from './words.ts'

const KEY = 'GET /api/projects/{project}/campaigns/{campaign}/suggestions'
type Report = AnswerOf<typeof KEY>
type Params = { project: string; campaign: string }

const SHOWN: Record<Report['groups'][number]['shown'], { label: string; means: string }> = {
  before: { label: 'Shown', means: 'beside the pair, or before it was answered anew' },
  after: { label: 'Shown afterwards', means: 'once the answer was given' },
  hidden: { label: 'Hidden by lot', means: 'what people say by themselves' },
}

export function Suggestions({ params, isLead }: { params: Params; isLead: boolean }) {
  const report = useGet(KEY, { params })
  const [isOpen, setOpen] = useState(false)
  const set = useWrite('PUT /api/projects/{project}/campaigns/{campaign}/suggestions', () => setOpen(false))
  if (report.isPending) return <Loading />
  if (report.isError) return <Problem error={report.error} />
  const { rule, items, groups } = report.data
  const answers = groups.reduce((sum, each) => sum + each.answers, 0)
  if (items === 0 && answers === 0) return null
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const hiddenShare = Number(text('hidden')) / 100
    set.mutate({ params, body: { rule: { hiddenShare, isAfter: text('isAfter') !== '' } } })
  }
  return (
    <section aria-labelledby="suggestions">
      <h2 id="suggestions">Suggestions of a model</h2>
      <p>
        {many(items, 'pair')} of this campaign {items === 1 ? 'has' : 'have'} one.{' '}
        {rule
          ? `People see it ${rule.isAfter ? 'once they have answered' : 'beside the pair'}; from ${percent(rule.hiddenShare)}% of the tasks it is hidden by lot.`
          : 'Nobody is shown any.'}
      </p>
      {answers > 0 && <Anchoring report={report.data} />}
      {isLead && !isOpen && (
        <div className="row">
          <button type="button" onClick={() => setOpen(true)}>
            {rule ? 'Change how they are shown' : 'Show them'}
          </button>
          {rule && (
            <button type="button" disabled={set.isPending} onClick={() => set.mutate({ params, body: { rule: null } })}>
              Show none
            </button>
          )}
        </div>
      )}
      <Problem error={set.error} />
      {isOpen && (
        <form className="panel narrow" aria-label="Suggestions" onSubmit={submit}>
          <Field
            label="Hidden from, % of the tasks"
            hint="Drawn by the seed: it shows what seeing them does to people."
          >
            {(attributes) => (
              <input
                {...attributes}
                name="hidden"
                type="number"
                min={5}
                max={90}
                step="any"
                required
                defaultValue={percent(rule?.hiddenShare ?? 0.2)}
              />
            )}
          </Field>
          <label className="check">
            <input type="checkbox" name="isAfter" defaultChecked={rule?.isAfter ?? false} /> Show them only once people
            have answered
          </label>
          <div className="row">
            <button type="submit" className="primary" disabled={set.isPending}>
              Show them so
            </button>
            <button type="button" onClick={() => setOpen(false)}>
              Leave it
            </button>
          </div>
        </form>
      )}
    </section>
  )
}

const percent = (share: number): number => Number((100 * share).toFixed(1))

function Anchoring({ report: { groups, difference } }: { report: Report }) {
  const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(0)}`
  return (
    <>
      <h3>Anchoring</h3>
      <table className="bars">
        <caption className="soft">Answers that agree with the suggestion, with 95% intervals over pairs</caption>
        <tbody>
          {groups
            .filter(({ answers }) => answers > 0)
            .map(({ shown, answers, agreement }) => (
              <tr key={shown}>
                <th scope="row">
                  {SHOWN[shown].label}
                  <span className="soft block">
                    {many(answers, 'answer')}, {SHOWN[shown].means}
                  </span>
                </th>
                <td className="figure">{agreement && `${(100 * agreement.value).toFixed(0)}%`}</td>
                <td>
                  {agreement && <IntervalBar {...agreement} from={0} to={1} mark={0.5} label={SHOWN[shown].label} />}
                </td>
              </tr>
            ))}
          {difference && (
            <tr>
              <th scope="row">
                Shown less hidden
                <span className="soft block">percentage points</span>
              </th>
              <td className="figure">{points(difference.value)}</td>
              <td>
                <IntervalBar {...difference} from={-1} to={1} mark={0} label="Shown less hidden" />
              </td>
            </tr>
          )}
        </tbody>
      </table>
      <p className={difference && difference.low > 0 ? 'warm' : 'soft'}>{verdictOn(difference)}</p>
    </>
  )
}

function verdictOn(difference: Report['difference']): string {
  if (!difference) return 'How far people lean on them shows once ten answers had it shown and ten had it hidden.'
  const range = `by ${(100 * difference.low).toFixed(0)} to ${(100 * difference.high).toFixed(0)} points`
  if (difference.low > 0)
    return `People lean on the suggestions: seeing one makes them agree with it more often, ${range}.`
  if (difference.high < 0) return `Seeing a suggestion makes people disagree with it more often, ${range}.`
  return `No leaning can be told so far: the interval, ${range}, has zero in it.`
}

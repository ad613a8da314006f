// A model is put to rules: which evaluations, which rules over their statistics, under which name.
import { type FormEvent, useState } from 'react'
import type { AnswerOf, BodyGiven } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Field, Loading, Problem, textsOf } from '../parts.tsx'

type Rule = AnswerOf<'GET /api/projects/{project}/releases'>['rules'][number]
type Evaluations = AnswerOf<'GET /api/projects/{project}/evaluations'>
type Choice = { hash: string; title: string; model: string; suite: string; statistics: string[] }

const BOUNDS = { low: 'low end of', high: 'high end of', value: 'point of' } as const
const COMPARISONS = { above: 'above', below: 'below', 'at-least': 'at least', 'at-most': 'at most' } as const

export function NewCandidacy({ slug, rules: begun }: { slug: string; rules: readonly Rule[] }) {
  const [isOpen, setOpen] = useState(false)
  const evaluations = useGet(
    'GET /api/projects/{project}/evaluations',
    { params: { project: slug } },
    { enabled: isOpen },
  )
  if (!isOpen)
    return (
      <button type="button" className="primary" onClick={() => setOpen(true)}>
        Put a model to the rules
      </button>
    )
  if (evaluations.isPending) return <Loading />
  if (evaluations.isError) return <Problem error={evaluations.error} />
  const choices = choicesOf(evaluations.data)
  if (choices.length === 0)
    return (
      <p className="panel">
        Nothing is evaluated yet: record an evaluation first, or write one with hone evaluate --out.
      </p>
    )
  return <CandidacyForm slug={slug} choices={choices} begun={begun} onEnd={() => setOpen(false)} />
}

function choicesOf({ evaluations, files }: Evaluations): Choice[] {
  return [
    ...evaluations.flatMap(({ name, artifact, candidate, opponent, suite }) =>
      artifact === null
        ? []
        : [
            {
              hash: artifact,
              title: `${name}: ${candidate} against ${opponent}`,
              model: candidate,
              suite,
              statistics: ['win-rate'],
            },
          ],
    ),
    ...files.map(({ hash, path, model, metric, suite, figures }) => ({
      hash,
      title: `${path}: ${metric} on ${suite}`,
      model,
      suite,
      statistics: figures.map(({ name }) => name),
    })),
  ]
}

function CandidacyForm({
  slug,
  choices,
  begun,
  onEnd,
}: {
  slug: string
  choices: Choice[]
  begun: readonly Rule[]
  onEnd: () => void
}) {
  const [chosen, setChosen] = useState<string[]>([choices[0]!.hash])
  const known = choices
    .filter(({ hash }) => chosen.includes(hash))
    .flatMap(({ suite, statistics }) => statistics.map((name) => `${suite}.${name}`))
  const [rules, setRules] = useState<Rule[]>(
    begun.length > 0
      ? [...begun]
      : [
          {
            name: 'preferred blind',
            statistic: `${choices[0]!.suite}.win-rate`,
            bound: 'low',
            comparison: 'above',
            value: 0.5,
          },
        ],
  )
  const ask = useWrite('POST /api/projects/{project}/candidacies', onEnd)
  const change = (i: number, with_: Partial<Rule>): void =>
    setRules(rules.map((rule, k) => (k === i ? { ...rule, ...with_ } : rule)))
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const body: BodyGiven<'POST /api/projects/{project}/candidacies'> = {
      release: textsOf(event)('release'),
      rules,
      evaluations: chosen.map((hash) => ({ hash })),
    }
    ask.mutate({ params: { project: slug }, body })
  }
  return (
    <form className="panel" onSubmit={submit} aria-label="Put a model to the rules">
      <fieldset>
        <legend>Evaluations, all of one model</legend>
        {choices.map(({ hash, title, model }) => (
          <label key={hash} className="check">
            <input
              type="checkbox"
              checked={chosen.includes(hash)}
              onChange={(event) =>
                setChosen(event.target.checked ? [...chosen, hash] : chosen.filter((other) => other !== hash))
              }
            />
            <span>
              {title} <span className="soft">of {model}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>Rules: what must pass is an end of an interval, not the point</legend>
        <datalist id="statistics">
          {known.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {rules.map((rule, i) => (
          <div key={i} className="rule" role="group" aria-label={`Rule ${i + 1}`}>
            <input
              aria-label="Name"
              value={rule.name}
              required
              onChange={(event) => change(i, { name: event.target.value })}
            />
            <select
              aria-label="End"
              value={rule.bound}
              onChange={(event) => {
                const bound = event.target.value as Rule['bound']
                change(i, { bound, ...(bound === 'value' && { level: undefined }) })
              }}
            >
              {Object.entries(BOUNDS).map(([bound, label]) => (
                <option key={bound} value={bound}>
                  {label}
                </option>
              ))}
            </select>
            <input
              aria-label="Statistic"
              list="statistics"
              value={rule.statistic}
              required
              onChange={(event) => change(i, { statistic: event.target.value })}
            />
            <select
              aria-label="Comparison"
              value={rule.comparison}
              onChange={(event) => change(i, { comparison: event.target.value as Rule['comparison'] })}
            >
              {Object.entries(COMPARISONS).map(([comparison, label]) => (
                <option key={comparison} value={comparison}>
                  {label}
                </option>
              ))}
            </select>
            {typeof rule.value === 'number' ? (
              <input
                aria-label="Limit"
                type="number"
                step="any"
                value={rule.value}
                required
                onChange={(event) => change(i, { value: Number(event.target.value) })}
              />
            ) : (
              <span className="mono">{`${rule.value.times} × ${rule.value.statistic} + ${rule.value.plus}`}</span>
            )}
            <input
              aria-label="Level"
              type="number"
              step="any"
              min="0.01"
              max="0.9999"
              placeholder="level as measured"
              value={rule.level ?? ''}
              disabled={rule.bound === 'value'}
              onChange={(event) =>
                change(i, { level: event.target.value === '' ? undefined : Number(event.target.value) })
              }
            />
            <button
              type="button"
              className="quiet"
              aria-label={`Take rule ${i + 1} out`}
              disabled={rules.length === 1}
              onClick={() => setRules(rules.filter((_, k) => k !== i))}
            >
              Take out
            </button>
          </div>
        ))}
        <button
          type="button"
          onClick={() => setRules([...rules, { name: '', statistic: '', bound: 'low', comparison: 'above', value: 0 }])}
        >
          Another rule
        </button>
      </fieldset>
      <Field label="Name of the release" hint="What clients call it, such as desk.">
        {(attributes) => <input {...attributes} name="release" required pattern="[a-z0-9][a-z0-9._\-]{0,63}" />}
      </Field>
      <Problem error={ask.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={ask.isPending || chosen.length === 0}>
          Let the rules decide
        </button>
        <button type="button" onClick={onEnd}>
          Leave it
        </button>
      </div>
    </form>
  )
}

// Evaluations: what was held against what, how far people are, what came of it; and files that hone evaluate wrote.
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { IntervalBar } from '../interval-bar.tsx'
import { Empty, Field, Loading, Problem, textsOf } from '../parts.tsx'
import { RatingCharts } from '../rating-chart.tsx'
import { CriteriaField } from './criteria-field.tsx'
import { DatasetField, ImportFirst } from './dataset-fields.tsx'
import { useProject } from './project.tsx'
import { Drawing, ModelField } from './samples.tsx'
import { many } from './words.ts'

type Evaluations = AnswerOf<'GET /api/projects/{project}/evaluations'>
export type EvaluationState = Evaluations['evaluations'][number]['state']

export const EVALUATION_STATES: Record<EvaluationState, string> = {
  drawing: 'samples are being drawn',
  stuck: 'samples cannot be drawn',
  judging: 'people judge',
  judged: 'judged, to be recorded',
  recorded: 'recorded',
}

export function EvaluationsScreen() {
  const { slug, role } = useProject()
  const all = useGet(
    'GET /api/projects/{project}/evaluations',
    { params: { project: slug } },
    { refetchInterval: 4000 },
  )
  return (
    <main id="content" className="page">
      <h1>Evaluations</h1>
      {(role === 'owner' || role === 'lead') && <NewEvaluation slug={slug} />}
      {all.isPending && <Loading />}
      {all.isError && <Problem error={all.error} />}
      {all.data?.evaluations.length === 0 && (
        <Empty title="Nothing was held against anything yet">
          <p>
            Two models or more answer the same prompts; people say which of two answers is better, and do not learn
            whose they are.
          </p>
        </Empty>
      )}
      <ul className="cards wide">
        {all.data?.evaluations.map(
          ({ id, name, candidate, opponent, prompts, state, judgements, winRate, isSimulated }) => (
            <li key={id}>
              <Link
                to="/p/$project/evaluations/$evaluation"
                params={{ project: slug, evaluation: id }}
                className="card"
              >
                <strong>{name}</strong>
                <span className="soft">
                  {candidate} against {opponent} on {prompts} · {EVALUATION_STATES[state]}
                  {isSimulated && ' · trained on simulated annotators'}
                </span>
                {winRate ? (
                  <IntervalBar {...winRate} from={0} to={1} mark={0.5} label={`Win rate of ${candidate}`} isNumbered />
                ) : (
                  <>
                    <progress
                      max={Math.max(1, judgements.wanted)}
                      value={judgements.judged}
                      aria-label={`Judged in ${name}`}
                    />
                    <span>
                      {judgements.judged.toLocaleString('en')} of {many(judgements.wanted, 'judgement')}
                    </span>
                  </>
                )}
              </Link>
            </li>
          ),
        )}
      </ul>
      {all.data && all.data.files.length > 0 && <Files files={all.data.files} />}
    </main>
  )
}

function Files({ files }: Pick<Evaluations, 'files'>) {
  return (
    <section aria-labelledby="files">
      <h2 id="files">From the command line</h2>
      <p className="soft">What hone evaluate wrote into the workspace. Gates read these too.</p>
      <ul className="cards wide">
        {files.map(({ path, metric, model, against, suite, rows, isSimulated, figures }) => (
          <li key={path} className="card still">
            <strong className="mono">{path}</strong>
            <span className="soft">
              {metric} of {model}
              {against !== null && ` over ${against}`} on {suite}, {many(rows, 'row')}
              {isSimulated && ' · simulated annotators'}
            </span>
            {metric === 'ratings' && <RatingCharts figures={figures} />}
            <Figures figures={figures} />
          </li>
        ))}
      </ul>
    </section>
  )
}

const FIGURES_SHOWN = 6

function Figures({ figures }: { figures: Evaluations['files'][number]['figures'] }) {
  const [isOpen, setOpen] = useState(false)
  const some = isOpen ? figures : figures.slice(0, FIGURES_SHOWN)
  return (
    <>
      <dl className="figures">
        {some.map(({ name, value, low, high, n }) => (
          <div key={name}>
            <dt className="mono">{name}</dt>
            <dd>
              {figure(value)}
              {low !== null && high !== null && (
                <span className="soft">
                  {' '}
                  [{figure(low)}, {figure(high)}]
                </span>
              )}
              {n !== null && <span className="soft"> n = {n}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {figures.length > FIGURES_SHOWN && (
        <button type="button" className="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Fewer' : `All ${figures.length}`}
        </button>
      )}
    </>
  )
}

/** Four significant digits. */
export function figure(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en') : String(Number(value.toPrecision(4)))
}

/** As the server takes them. */
const MOST_OTHERS = 4

function NewEvaluation({ slug }: { slug: string }) {
  const navigate = useNavigate()
  const { models: asked } = useSearch({ from: '/signed-in/p/$project/evaluations' })
  const first = asked?.split(',') ?? []
  const [isOpen, setOpen] = useState(asked !== undefined)
  const [others, setOthers] = useState(Math.max(0, first.length - 2))
  const [criteria, setCriteria] = useState<string[]>([])
  const models = useGet('GET /api/projects/{project}/models', { params: { project: slug } }, { enabled: isOpen })
  const datasets = useGet('GET /api/projects/{project}/datasets', { params: { project: slug } }, { enabled: isOpen })
  const create = useWrite('POST /api/projects/{project}/evaluations', ({ id }) =>
    navigate({ to: '/p/$project/evaluations/$evaluation', params: { project: slug, evaluation: id } }),
  )
  if (!isOpen)
    return (
      <button type="button" className="primary" onClick={() => setOpen(true)}>
        New evaluation
      </button>
    )
  if (models.isPending || datasets.isPending) return <Loading />
  if (models.isError || datasets.isError) return <Problem error={models.error ?? datasets.error} />
  const prompts = datasets.data.datasets.filter(({ kind }) => kind === 'prompts' || kind === 'demonstrations')
  if (prompts.length === 0)
    return <ImportFirst slug={slug}>prompts that nothing was trained on, rows {'{prompt}'}</ImportFirst>
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    create.mutate({
      params: { project: slug },
      body: {
        name: text('name'),
        candidate: text('candidate'),
        opponent: text('opponent'),
        others: Array.from({ length: others }, (_, i) => text(`other-${i}`)),
        prompts: text('prompts'),
        overlap: Number(text('overlap')),
        criteria,
        seed: Number(text('seed')),
        temperature: Number(text('temperature')),
        maxTokens: Number(text('maxTokens')),
      },
    })
  }
  return (
    <form className="panel narrow" onSubmit={submit}>
      <Field label="Name" hint="Those who judge see it: do not name the models in it.">
        {(attributes) => <input {...attributes} name="name" required maxLength={80} autoFocus />}
      </Field>
      <ModelField label="Candidate" name="candidate" models={models.data.models} value={first[0]} />
      <ModelField label="Against" name="opponent" models={models.data.models} value={first[1]} />
      {Array.from({ length: others }, (_, i) => (
        <ModelField
          key={i}
          label={`And against, ${i + 2}`}
          name={`other-${i}`}
          models={models.data.models}
          value={first[i + 2]}
        />
      ))}
      <div className="row">
        <button type="button" disabled={others === MOST_OTHERS} onClick={() => setOthers(others + 1)}>
          One more model
        </button>
        {others > 0 && (
          <button type="button" onClick={() => setOthers(others - 1)}>
            One fewer
          </button>
        )}
      </div>
      {others > 0 && (
        <p className="soft">
          Each two of {others + 2} models meet on every prompt: {((others + 2) * (others + 1)) / 2} pairs a prompt. What
          people say of all pairs becomes ratings, and who judges learns no names.
        </p>
      )}
      <DatasetField
        label="Prompts"
        hint="About 385 pairs tell a win rate to 5 points either way; about 800 tell 55 from 50 in four of five evaluations."
        name="prompts"
        datasets={prompts}
      />
      <Field label="People for each pair" hint="More pairs tell more than more people a pair.">
        {(attributes) => (
          <input {...attributes} name="overlap" type="number" min={1} max={9} defaultValue={1} required />
        )}
      </Field>
      <CriteriaField slug={slug} value={criteria} onChange={setCriteria} />
      <Drawing />
      <Problem error={create.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={create.isPending}>
          Draw, then let people judge
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          Leave it
        </button>
      </div>
    </form>
  )
}

// A new campaign: what people are asked for decides which datasets it can be made of and what else there is to say.
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { BodyGiven } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Field, Loading, Problem, textsOf } from '../parts.tsx'
import { OrderField } from './campaign-order.tsx'
import { DeadlineField, momentOf } from './campaign-deadline.tsx'
import { CriteriaField } from './criteria-field.tsx'
import { ExpertiseField } from './credentials.tsx'
import { DatasetField, ImportFirst } from './dataset-fields.tsx'
import { type Draft, FIRST, QuestionsField, questionsOf } from './questions-field.tsx'
import { ModelField } from './samples.tsx'
import { type SkipPolicy, SkipPolicyField } from './skip-policy.tsx'

type Order = NonNullable<BodyGiven<'POST /api/projects/{project}/campaigns'>['order']>
type Kind = NonNullable<BodyGiven<'POST /api/projects/{project}/campaigns'>['kind']>

const ASKED: Record<Kind, { label: string; takes: readonly string[]; of: string; first: string; hint: string }> = {
  pairs: {
    label: 'Which of two answers is better',
    takes: ['comparisons'],
    of: 'Comparisons',
    first: 'comparisons, rows {item, prompt, a, b}',
    hint: '',
  },
  demonstrations: {
    label: 'Answers of their own',
    takes: ['prompts', 'demonstrations'],
    of: 'Prompts',
    first: 'prompts, rows {prompt}; or {prompt, completion}, whose completions are edited',
    hint: 'Prompts are answered from an empty box; the completions of demonstrations are drafts to edit.',
  },
  ratings: {
    label: 'Ratings of one answer',
    takes: ['demonstrations'],
    of: 'Answers',
    first: 'answers, rows {prompt, completion} as demonstrations',
    hint: '',
  },
  rankings: {
    label: 'The order of several answers to one prompt',
    takes: ['prompts', 'demonstrations'],
    of: 'Prompts with their answers',
    first: 'prompts with two to nine answers each, rows {prompt, completions: [...]}',
    hint: 'Rows {prompt, completions: [...]} as prompts; or {prompt, completion}, those of one prompt together.',
  },
}

export function NewCampaign({ slug }: { slug: string }) {
  const navigate = useNavigate()
  const [isOpen, setOpen] = useState(false)
  const [kind, setKind] = useState<Kind>('pairs')
  const [isAdaptive, setAdaptive] = useState(false)
  const [isCalibration, setCalibration] = useState(false)
  const [criteria, setCriteria] = useState<string[]>([])
  const [questions, setQuestions] = useState<Draft[]>([FIRST])
  const datasets = useGet('GET /api/projects/{project}/datasets', { params: { project: slug } })
  const models = useGet('GET /api/projects/{project}/models', { params: { project: slug } }, { enabled: isOpen })
  const create = useWrite('POST /api/projects/{project}/campaigns', ({ id }) =>
    navigate({ to: '/p/$project/campaigns/$campaign', params: { project: slug, campaign: id } }),
  )
  if (!isOpen)
    return (
      <button type="button" className="primary" onClick={() => setOpen(true)}>
        New campaign
      </button>
    )
  if (datasets.isPending) return <Loading />
  const { takes, of, first, hint } = ASKED[kind]
  const usable = datasets.data?.datasets.filter((dataset) => takes.includes(dataset.kind)) ?? []
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const deadline = momentOf(text('deadline'))
    const asked = {
      name: text('name'),
      dataset: text('dataset'),
      overlap: Number(text('overlap') || 1),
      ...(text('overlapShare') !== '' && { overlapShare: Number(text('overlapShare')) / 100 }),
      ...(deadline !== null && { deadline }),
      skipPolicy: text('skipPolicy') as SkipPolicy,
      order: text('order') as Order,
      ...(text('expertise') !== '' && { expertise: text('expertise') }),
    }
    const seed = Number(text('seed'))
    create.mutate({
      params: { project: slug },
      body:
        kind === 'pairs'
          ? {
              ...asked,
              isCalibration,
              ...(isAdaptive &&
                !isCalibration && { adaptive: { cap: Number(text('cap')), threshold: Number(text('threshold')) } }),
              criteria,
              seed,
              goldRate: Number(text('gold')) / 100,
            }
          : {
              ...asked,
              kind,
              seed,
              ...(text('tokensBy') !== '' && { tokensBy: text('tokensBy') }),
              ...(kind === 'ratings' && { questions: questionsOf(questions) }),
            },
    })
  }
  return (
    <form className="panel narrow" onSubmit={submit}>
      <Field label="People are asked for">
        {(attributes) => (
          <select {...attributes} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
            {Object.entries(ASKED).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {usable.length === 0 ? (
        <ImportFirst slug={slug}>{first}</ImportFirst>
      ) : (
        <>
          <Field label="Name">
            {(attributes) => <input {...attributes} name="name" required maxLength={80} autoFocus />}
          </Field>
          <DatasetField key={kind} label={of} {...(hint !== '' && { hint })} name="dataset" datasets={usable} />
          {kind === 'pairs' ? (
            <OfPairs
              slug={slug}
              {...{ isAdaptive, setAdaptive, isCalibration, setCalibration, criteria, setCriteria }}
            />
          ) : (
            <>
              <Field
                label={
                  kind === 'demonstrations'
                    ? 'Answers for each prompt'
                    : `People for each ${kind === 'ratings' ? 'answer' : 'prompt'}`
                }
                hint={kind === 'demonstrations' ? 'By as many people.' : 'Two or more show who disagrees.'}
              >
                {(attributes) => (
                  <input
                    {...attributes}
                    key={kind}
                    name="overlap"
                    type="number"
                    min={1}
                    max={9}
                    defaultValue={kind === 'demonstrations' ? 1 : 2}
                    required
                  />
                )}
              </Field>
              {kind !== 'demonstrations' && <ShareField of={kind === 'ratings' ? 'answers' : 'prompts'} />}
              {kind === 'ratings' && <QuestionsField value={questions} onChange={setQuestions} />}
              {kind === 'demonstrations' && models.data && (
                <ModelField label="Count tokens as" name="tokensBy" models={models.data.models} />
              )}
            </>
          )}
          <OrderField key={`order ${kind}`} isOfPairs={kind === 'pairs'} />
          <ExpertiseField slug={slug} />
          <DeadlineField />
          <SkipPolicyField mayDrop={kind !== 'pairs' || !isCalibration} />
          <Field
            label="Seed"
            hint={kind === 'pairs' ? SEED_OF_PAIRS : 'Draws the order; the same seed draws it again.'}
          >
            {(attributes) => (
              <input {...attributes} name="seed" type="number" min={0} step={1} defaultValue={1} required />
            )}
          </Field>
        </>
      )}
      <Problem error={create.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={create.isPending || usable.length === 0}>
          Open the campaign
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          Leave it
        </button>
      </div>
    </form>
  )
}

const SEED_OF_PAIRS = 'Draws the order and the sides; the same seed draws them again.'

function ShareField({ of }: { of: string }) {
  return (
    <Field
      label={`Of the ${of}, %, that so many people get`}
      hint="Drawn by the seed; the others get one. All, unless you say less."
    >
      {(attributes) => (
        <input {...attributes} name="overlapShare" type="number" min={1} max={100} step="any" placeholder="100" />
      )}
    </Field>
  )
}

function OfPairs({
  slug,
  isAdaptive,
  setAdaptive,
  isCalibration,
  setCalibration,
  criteria,
  setCriteria,
}: {
  slug: string
  isAdaptive: boolean
  setAdaptive: (isAdaptive: boolean) => void
  isCalibration: boolean
  setCalibration: (isCalibration: boolean) => void
  criteria: string[]
  setCriteria: (criteria: string[]) => void
}) {
  return (
    <>
      <label className="check">
        <input type="checkbox" checked={isCalibration} onChange={(event) => setCalibration(event.target.checked)} />
        <span>
          A calibration round
          <span className="soft block">
            Everybody judges every pair; once you close it, they see each other’s answers and talk.
          </span>
        </span>
      </label>
      {!isCalibration && (
        <>
          <Field label="People for each pair" hint="Three lets a majority speak and shows who disagrees.">
            {(attributes) => (
              <input {...attributes} name="overlap" type="number" min={1} max={9} defaultValue={3} required />
            )}
          </Field>
          {!isAdaptive && <ShareField of="pairs" />}
          <label className="check">
            <input type="checkbox" checked={isAdaptive} onChange={(event) => setAdaptive(event.target.checked)} /> Ask
            more people where they differ
          </label>
          {isAdaptive && (
            <>
              <Field label="Up to so many for a pair">
                {(attributes) => (
                  <input {...attributes} name="cap" type="number" min={2} max={9} defaultValue={5} required />
                )}
              </Field>
              <Field
                label="Until one side is this probable"
                hint="By how reliable those who answered have shown to be."
              >
                {(attributes) => (
                  <input
                    {...attributes}
                    name="threshold"
                    type="number"
                    min={0.51}
                    max={0.99}
                    step="any"
                    defaultValue={0.9}
                    required
                  />
                )}
              </Field>
            </>
          )}
        </>
      )}
      <CriteriaField slug={slug} value={criteria} onChange={setCriteria} />
      <Field
        label="Gold among the tasks, %"
        hint="Rows with gold: a or b, mixed in by lot. Qualification is set afterwards."
      >
        {(attributes) => (
          <input {...attributes} name="gold" type="number" min={0} max={50} step="any" defaultValue={0} required />
        )}
      </Field>
    </>
  )
}

// The objective as a lead writes it: criteria that can be added, taken out and put in another order. What was changed by others
// meanwhile is shown before anything is saved over it.
import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react'
import type { Objective } from '#schema'
import { ApiError, useGet, useWrite } from '../api.ts'
import { Field, Problem } from '../parts.tsx'
import { useFirstProblem } from '../runs/fields.tsx'
import { type CriterionDraft, CriterionFields, criterionOf, draftOf, NEW_CRITERION } from './criterion-fields.tsx'
import { ChangedFields } from './objective-change.tsx'

type Heads = Pick<Objective, 'name' | 'version' | 'summary'>

export function ObjectiveForm({
  slug,
  objective,
  from: begunFrom,
  next,
  onEnd,
}: {
  slug: string
  objective: Objective
  /** The hash of what it began from; null: there was none. */
  from: string | null
  /** The number that it gets. */
  next: number
  onEnd: () => void
}) {
  const [from, setFrom] = useState(begunFrom)
  const [heads, setHeads] = useState<Heads>({
    name: objective.name,
    version: objective.version,
    summary: objective.summary,
  })
  const [criteria, setCriteria] = useState<CriterionDraft[]>(() => objective.criteria.map(draftOf))
  const [note, setNote] = useState('')
  const now = useGet('GET /api/projects/{project}/objective', { params: { project: slug } })
  const save = useWrite('PUT /api/projects/{project}/objective', onEnd)
  const form = useRef<HTMLFormElement>(null)
  // The same as long as the refusal is: its field gets the focus once.
  const problems = useMemo(() => problemsOf(save.error), [save.error])
  useFirstProblem(form, problems)
  const focusNext = useFocusNext(form)
  const written: Objective = { ...heads, criteria: criteria.map(criterionOf) }
  const isStale = save.error instanceof ApiError && save.error.status === 409
  const send = (began: string | null): void => {
    const body = { objective: written, note, from: began }
    save.mutate({ params: { project: slug }, body }, { onError: () => void now.refetch() })
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    send(from)
  }
  /** Cards move: what was said of the third is no longer of the third. */
  const rearrange = (rearranged: CriterionDraft[], focus: string): void => {
    setCriteria(rearranged)
    save.reset()
    focusNext(focus)
  }
  const headOf = (field: keyof Heads) => ({
    required: true,
    value: heads[field],
    onChange: (event: { target: { value: string } }) => setHeads({ ...heads, [field]: event.target.value }),
  })
  const move = (i: number, by: -1 | 1): void => {
    const moved = [...criteria]
    ;[moved[i], moved[i + by]] = [moved[i + by]!, moved[i]!]
    const { key } = criteria[i]!
    const isAtEnd = i + by === 0 || i + by === criteria.length - 1
    rearrange(moved, isAtEnd ? `name-${key}` : `${by < 0 ? 'up' : 'down'}-${key}`)
  }
  return (
    <form ref={form} onSubmit={submit} className="objective-form">
      <div className="fields">
        <Field label="Name of the objective" problem={problems?.name}>
          {(attributes) => <input {...attributes} {...headOf('name')} />}
        </Field>
        <Field label="Label" hint="Yours to choose, beside the number that each save gets." problem={problems?.version}>
          {(attributes) => <input {...attributes} {...headOf('version')} />}
        </Field>
      </div>
      <Field label="Summary" hint="In one sentence: what is asked of an answer." problem={problems?.summary}>
        {(attributes) => <textarea {...attributes} {...headOf('summary')} rows={2} />}
      </Field>
      {criteria.map((criterion, i) => (
        <CriterionFields
          key={criterion.key}
          number={i + 1}
          value={criterion}
          problemAt={(field) => problems?.[`criteria.${i}.${field}`]}
          onChange={(changed) => setCriteria(criteria.map((each) => (each.key === changed.key ? changed : each)))}
          onMove={{ up: i > 0 && (() => move(i, -1)), down: i < criteria.length - 1 && (() => move(i, 1)) }}
          onRemove={
            criteria.length > 1 &&
            (() =>
              rearrange(
                criteria.filter(({ key }) => key !== criterion.key),
                'add',
              ))
          }
        />
      ))}
      <div className="row">
        <button
          type="button"
          data-focus="add"
          onClick={() => {
            const added = draftOf(NEW_CRITERION)
            rearrange([...criteria, added], `name-${added.key}`)
          }}
        >
          Add a criterion
        </button>
      </div>
      <Field label="Note of the change" hint="Why, for whoever reads the versions.">
        {(attributes) => (
          <input {...attributes} maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />
        )}
      </Field>
      {problems ? (
        <p className="problem">Nothing was saved: what is wrong stands by its field.</p>
      ) : (
        <Problem error={save.error} />
      )}
      {isStale && now.data && now.data.problem === null && now.data.hash !== from && (
        <section className="panel" aria-labelledby="meanwhile">
          <h2 id="meanwhile">From what it is now to what you wrote</h2>
          {now.data.objective ? (
            <ChangedFields before={now.data.objective} after={written} label="Yours against what is there" />
          ) : (
            <p>The file is gone.</p>
          )}
          <div className="row">
            <button
              type="button"
              onClick={() => {
                setFrom(now.data.hash)
                send(now.data.hash)
              }}
            >
              I have looked: save mine
            </button>
          </div>
        </section>
      )}
      <div className="row">
        <button type="submit" className="primary" disabled={save.isPending}>
          Save as version {next}
        </button>
        <button type="button" onClick={onEnd}>
          Leave it
        </button>
      </div>
    </form>
  )
}

/** A field that this form has, by its path in the objective. */
const OF_A_FIELD =
  /^objective\.((?:.+\.)?(?:name|version|summary|definition|good|bad|borderline|weight|low|high|owner|source|value|level|suite)): (.*)$/s

function problemsOf(error: Error | null): Record<string, string> | undefined {
  const [, field, message] = OF_A_FIELD.exec(error?.message ?? '') ?? []
  return field === undefined ? undefined : { [field]: message! }
}

/** The element with that data-focus gets the focus once it is there: a card that moves would lose it. */
function useFocusNext(form: React.RefObject<HTMLFormElement | null>): (name: string) => void {
  const wanted = useRef<string>(undefined)
  useEffect(() => {
    if (wanted.current === undefined) return
    form.current?.querySelector<HTMLElement>(`[data-focus="${wanted.current}"]`)?.focus()
    wanted.current = undefined
  })
  return (name) => {
    wanted.current = name
  }
}

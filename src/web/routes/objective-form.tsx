// The objective as a lead writes it: criteria that can be added, taken out and put in another order. What was changed by others
// meanwhile is shown before anything is saved over it.
import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react'
import type { Objective } from '#schema'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Field, Problem } from '../parts.tsx'
import { useFirstProblem } from '../runs/fields.tsx'
import {
  type CriterionDraft,
  CriterionFields,
  criterionOf,
  keyed,
  NEW_CRITERION,
  textsOf,
  unkeyed,
} from './criterion-fields.tsx'
import { ChangedFields } from './objective-change.tsx'
import {
  type Begun,
  KeptState,
  OBJECTIVE,
  type ObjectiveInHand,
  Restored,
  useKeptDraft,
  useLeaving,
} from './unsaved.tsx'

type Heads = Pick<Objective, 'name' | 'version' | 'summary'>

/** What an editor holds that begins with an objective; `from`: the hash of what was there, null: nothing. */
export function inHand({ name, version, summary, criteria }: Objective, from: string | null): ObjectiveInHand {
  return { objective: { name, version, summary, criteria: criteria.map(textsOf), note: '' }, from }
}

export function ObjectiveForm({
  slug,
  begun,
  next,
  onEnd,
  onDiscard,
}: {
  slug: string
  begun: Begun<ObjectiveInHand>
  /** The number that it gets. */
  next: number
  onEnd: () => void
  onDiscard: () => Promise<void>
}) {
  const { objective } = begun.content
  const [from, setFrom] = useState(begun.content.from)
  const [heads, setHeads] = useState<Heads>({
    name: objective.name,
    version: objective.version,
    summary: objective.summary,
  })
  const [criteria, setCriteria] = useState<CriterionDraft[]>(() => objective.criteria.map(keyed))
  const [note, setNote] = useState(objective.note)
  const draft = useKeptDraft(OBJECTIVE, slug, {
    begun,
    now: { objective: { ...heads, criteria: criteria.map(unkeyed), note }, from },
  })
  const now = useGet('GET /api/projects/{project}/objective', { params: { project: slug } })
  const save = useWrite('PUT /api/projects/{project}/objective', () => {
    draft.forget()
    onEnd()
  })
  const form = useRef<HTMLFormElement>(null)
  // The same as long as the refusal is: its field gets the focus once.
  const problems = useMemo(() => problemsOf(save.error), [save.error])
  useFirstProblem(form, problems)
  const focusNext = useFocusNext(form)
  const written: Objective = { ...heads, criteria: criteria.map(criterionOf) }
  const send = async (began: string | null): Promise<void> => {
    // A draft that came after the version would stand beside it.
    await draft.flush()
    const body = { objective: written, note, from: began }
    save.mutate({ params: { project: slug }, body }, { onError: () => void now.refetch() })
  }
  const isChanged =
    now.isSuccess && now.data.problem === null && now.data.hash !== from && !save.isPending && !save.isSuccess
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    void send(from)
  }
  /** Cards move: what was said of the third is no longer of the third. */
  const rearrange = (rearranged: CriterionDraft[], focus: string): void => {
    setCriteria(rearranged)
    save.reset()
    focusNext(focus)
  }
  const { leave, discard, problem } = useLeaving(draft, { onEnd, onDiscard })
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
      {begun.draft && now.data && (
        <Restored savedAt={begun.draft.savedAt} begunWhen={whenBegun(begun.content.from, now.data.versions)} />
      )}
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
            const added = keyed(textsOf(NEW_CRITERION))
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
      {isChanged && (
        <section className="panel" aria-labelledby="meanwhile">
          <h2 id="meanwhile">From what it is now to what you wrote</h2>
          <p className="warm">{savedSince(now.data)}</p>
          {now.data.objective ? (
            <ChangedFields before={now.data.objective} after={written} label="Yours against what is there" />
          ) : (
            <p>The file is gone.</p>
          )}
          <div className="row">
            <button
              type="button"
              onClick={() => {
                if (!form.current!.reportValidity()) return
                setFrom(now.data.hash)
                void send(now.data.hash)
              }}
            >
              I have looked: save mine
            </button>
            <button type="button" className="danger" onClick={() => void discard()}>
              Discard mine
            </button>
          </div>
        </section>
      )}
      <div className="row">
        <button type="submit" className="primary" disabled={save.isPending}>
          Save as version {next}
        </button>
        <button type="button" onClick={() => void leave()}>
          {draft.saved === undefined ? 'Leave it' : 'Leave it as a draft'}
        </button>
        {draft.saved !== undefined && (
          <button type="button" className="quiet danger" onClick={() => void discard()}>
            Discard the draft
          </button>
        )}
        <KeptState saved={draft.saved} />
      </div>
      <Problem error={problem} />
    </form>
  )
}

type Now = AnswerOf<'GET /api/projects/{project}/objective'>

/** What was there when it was begun, in words. */
export function whenBegun(from: string | null, versions: Now['versions']): string {
  if (from === null) return 'begun when there was none'
  const version = versions.find(({ hash }) => hash === from)
  return version
    ? `begun when version ${version.number} was in force`
    : 'begun from the workspace’s file as it was then'
}

/** What came since a draft was begun from something else. */
export function savedSince({ versions, version, objective }: Now): string {
  if (!objective) return 'The file in the workspace is gone since it was begun.'
  if (version === null) return 'The file in the workspace was changed outside of the server since it was begun.'
  const by = versions.find(({ number }) => number === version)?.by
  return `Version ${version} was saved since it was begun${by ? `, by ${by}` : ''}.`
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

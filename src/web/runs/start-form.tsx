// A run is ordered: the recipe, what goes in, the settings that matter, and behind a fold all the others. Made of the
// recipe's own schema, so that a new setting is here when it is there.
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useRef, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { ApiError, useGet, useWrite } from '../api.ts'
import { Loading, Problem } from '../parts.tsx'
import { FileField } from './file-field.tsx'
import { given, textIn, type Schema, SchemaField, useFirstProblem } from './fields.tsx'

type Forms = AnswerOf<'GET /api/projects/{project}/recipes'>
type Order = NonNullable<AnswerOf<'GET /api/projects/{project}/runs/{run}/again'>['order']>
type Problems = Record<string, string> | undefined

/** Settings that most runs are told, in this order; the rest is behind a fold. */
const MAIN = [
  'steps',
  'epochs',
  'batchSize',
  'learningRate',
  'klBudget',
  'markEvery',
  'markPairs',
  'promptsPerStep',
  'maxTokens',
  'seed',
]
const KINDS: Record<string, readonly string[]> = {
  demonstrations: ['demonstrations'],
  pairs: ['judgements', 'comparisons'],
  prompts: ['prompts', 'demonstrations', 'comparisons', 'judgements'],
}

type StartFormProps = {
  slug: string
  /** A run whose place the new one is to take: its order fills the form in. */
  again?: string | undefined
  onLeave: () => void
}

export function StartForm({ again, ...props }: StartFormProps) {
  return again === undefined ? <OrderForm {...props} /> : <FilledForm again={again} {...props} />
}

function FilledForm({ again, ...props }: StartFormProps & { again: string }) {
  const asked = useGet('GET /api/projects/{project}/runs/{run}/again', { params: { project: props.slug, run: again } })
  if (asked.isPending) return <Loading />
  if (asked.isError) return <Problem error={asked.error} />
  const { order } = asked.data
  if (order) return <OrderForm filled={{ ...order, supersedes: again }} {...props} />
  return <p className="away">The form cannot be filled in with {again}: what to do is on its page.</p>
}

function OrderForm({ slug, filled, onLeave }: StartFormProps & { filled?: Order & { supersedes: string } }) {
  const forms = useGet('GET /api/projects/{project}/recipes', { params: { project: slug } })
  const [recipe, setRecipe] = useState<Forms['recipes'][number]['name']>(filled?.recipe ?? 'sft')
  // Of another recipe it would be another run, and in nobody's place.
  const order = filled?.recipe === recipe ? filled : undefined
  const navigate = useNavigate()
  const form = useRef<HTMLFormElement>(null)
  const start = useWrite('POST /api/projects/{project}/runs', ({ run }) =>
    navigate({ to: '/p/$project/runs/$run', params: { project: slug, run } }),
  )
  const problems = problemsOf(start.error)
  useFirstProblem(form, problems)
  if (forms.isPending) return <Loading />
  if (forms.isError) return <Problem error={forms.error} />
  const chosen = forms.data.recipes.find(({ name }) => name === recipe)!
  const [inputs, settings, computing] = [chosen.inputs, chosen.settings, chosen.computing] as Schema[] as [
    Schema,
    Schema,
    Schema,
  ]
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    start.mutate({
      params: { project: slug },
      body: {
        name: textIn(fields, 'name'),
        recipe,
        inputs: given(fields, 'inputs', inputs) as Record<string, string | number>,
        settings: given(fields, 'settings', settings),
        computing: given(fields, 'computing', computing),
        ...(order && { supersedes: order.supersedes }),
      },
    })
  }
  return (
    <form className="panel start" onSubmit={submit} ref={form} aria-label="New run" noValidate>
      {order && (
        <p>
          As {order.supersedes} was ordered, on what took the place of its inputs. It supersedes {order.supersedes}.
        </p>
      )}
      <div className="fields">
        <div className="field">
          <label htmlFor="recipe">Recipe</label>
          <select id="recipe" value={recipe} onChange={(event) => setRecipe(event.target.value as typeof recipe)}>
            {forms.data.recipes.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </div>
        <SchemaField
          name="name"
          path="name"
          property={{ type: 'string', description: 'a-z, 0-9, _ and -; the folder of the run' }}
          isRequired
          value={filled?.name}
          problem={problems?.name}
        />
      </div>
      <fieldset className="fields" key={`${recipe}-inputs`}>
        <legend>What goes in</legend>
        {Object.entries(inputs.properties ?? {}).map(([name, property]) => {
          const field = {
            name,
            property,
            path: `inputs.${name}`,
            problem: problems?.[`inputs.${name}`],
            value: order?.inputs[name],
          }
          const { takes } = property
          if (takes === 'rules' || takes === 'texts')
            return <FileField key={name} {...field} slug={slug} kind={takes} known={forms.data.files} />
          return (
            <SchemaField
              key={name}
              {...field}
              isRequired={inputs.required?.includes(name) ?? false}
              options={optionsOf(takes, forms.data)}
            />
          )
        })}
      </fieldset>
      <SettingsFields key={recipe} settings={settings} values={order?.settings} problems={problems} />
      <details className="fold">
        <summary>How it computes</summary>
        <div className="fields">
          {Object.entries(computing.properties ?? {}).map(([name, property]) => (
            <SchemaField
              key={name}
              {...{ name, property }}
              path={`computing.${name}`}
              value={order?.computing[name]}
              problem={problems?.[`computing.${name}`]}
            />
          ))}
        </div>
      </details>
      {(!problems || problems.supersedes !== undefined) && <Problem error={start.error} />}
      <div className="row">
        <button type="submit" className="primary" disabled={start.isPending}>
          Start the run
        </button>
        <button type="button" onClick={onLeave}>
          Leave it
        </button>
      </div>
    </form>
  )
}

/** The settings of a recipe; `now`: what those left empty stay at; `values`: what they are filled in with. */
export function SettingsFields({
  settings,
  now,
  values,
  problems,
}: {
  settings: Schema
  now?: Record<string, unknown>
  values?: Record<string, unknown> | undefined
  problems: Problems
}) {
  const all = Object.entries(settings.properties ?? {})
  const place = (name: string): number => MAIN.indexOf(name)
  const main = all.filter(([name]) => place(name) >= 0).sort(([a], [b]) => place(a) - place(b))
  const fieldsOf = (some: typeof all) =>
    some.map(([name, property]) => (
      <SchemaField
        key={name}
        {...{ name, property }}
        path={`settings.${name}`}
        now={now?.[name]}
        value={values?.[name]}
        problem={problems?.[`settings.${name}`]}
      />
    ))
  return (
    <>
      <fieldset className="fields">
        <legend>Settings</legend>
        {fieldsOf(main)}
      </fieldset>
      <details className="fold">
        <summary>All settings</summary>
        <div className="fields">{fieldsOf(all.filter(([name]) => place(name) < 0))}</div>
      </details>
    </>
  )
}

/** By field, where the server said so. */
export function problemsOf(error: Error | null): Problems {
  if (!(error instanceof ApiError) || error.status !== 422) return undefined
  if (typeof error.detail === 'object' && error.detail !== null) return error.detail as Record<string, string>
  const [, field, message] = /^(name|step): (.*)$/s.exec(error.message) ?? []
  return field === undefined ? undefined : { [field]: message! }
}

function optionsOf(takes: string | undefined, { models, datasets }: Forms): string[] | undefined {
  if (takes === undefined) return undefined
  if (takes === 'model') return models.filter(({ recipe }) => recipe !== 'reward').map(({ name }) => name)
  if (takes === 'reward') return models.filter(({ recipe }) => recipe === 'reward').map(({ name }) => name)
  return datasets.filter(({ kind }) => KINDS[takes]?.includes(kind)).map(({ name }) => name)
}

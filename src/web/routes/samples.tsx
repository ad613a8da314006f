// Samples: what one or two models answer to the prompts of a dataset, paired into comparisons for people.
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, textsOf, Time } from '../parts.tsx'
import { DatasetField, ImportFirst } from './dataset-fields.tsx'
import { useProject } from './project.tsx'
import { many } from './words.ts'

type Fill = AnswerOf<'GET /api/projects/{project}/fills'>['fills'][number]
const STATES: Record<Fill['state'], string> = {
  waiting: 'waits for its turn',
  drawing: 'being drawn',
  done: 'drawn',
  failed: 'failed',
  stopped: 'stopped',
}

export function SamplesScreen() {
  const { slug, role } = useProject()
  const fills = useGet('GET /api/projects/{project}/fills', { params: { project: slug } }, { refetchInterval: 2000 })
  const mayDraw = ['owner', 'lead', 'engineer'].includes(role)
  return (
    <main id="content" className="page">
      <h1>Samples</h1>
      <p className="soft">
        A model answers prompts; its answers are paired for people, who do not learn whose they are. Drawn by seed: the
        same seed draws the same answers.
      </p>
      {mayDraw && <NewFill slug={slug} />}
      {fills.isPending && <Loading />}
      {fills.isError && <Problem error={fills.error} />}
      {fills.data?.fills.length === 0 && (
        <Empty title="No samples yet">
          <p>Choose a model and a dataset of prompts.</p>
        </Empty>
      )}
      <ul className="cards wide">
        {fills.data?.fills.map((fill) => (
          <li key={fill.id} className="card still">
            <FillCard fill={fill} slug={slug} mayDraw={mayDraw} />
          </li>
        ))}
      </ul>
    </main>
  )
}

function FillCard({ fill, slug, mayDraw }: { fill: Fill; slug: string; mayDraw: boolean }) {
  const { id, name, models, prompts, n, seed, temperature, maxTokens, state, problem, drawn, wanted, version } = fill
  const [isShown, setShown] = useState(false)
  const change = useWrite('PUT /api/projects/{project}/fills/{fill}/state')
  const set = (next: 'stopped' | 'waiting') =>
    change.mutate({ params: { project: slug, fill: id }, body: { state: next } })
  return (
    <>
      <strong>{name}</strong>
      <span className="soft">
        {models.map((model) => model.name).join(' against ')} on {prompts}: {n} a prompt, seed {seed}, temperature{' '}
        {temperature}, at most {maxTokens} tokens · {fill.by}, <Time at={fill.madeAt} />
      </span>
      <progress max={wanted} value={drawn} aria-label={`Drawn of ${name}`} />
      <span>
        {drawn.toLocaleString('en')} of {many(wanted, 'sample')} · {STATES[state]}
        {version !== null && (
          <>
            {' '}
            as <span className="mono">{`${name}@${version.slice(0, 12)}`}</span>
          </>
        )}
      </span>
      {problem !== null && <p className="problem">{problem}</p>}
      <Problem error={change.error} />
      <div className="row">
        <button type="button" aria-expanded={isShown} onClick={() => setShown(!isShown)} disabled={drawn === 0}>
          {isShown ? 'Hide the first samples' : 'Show the first samples'}
        </button>
        {mayDraw && (state === 'drawing' || state === 'waiting') && (
          <button type="button" disabled={change.isPending} onClick={() => set('stopped')}>
            Stop
          </button>
        )}
        {mayDraw && (state === 'stopped' || state === 'failed') && (
          <button type="button" disabled={change.isPending} onClick={() => set('waiting')}>
            Go on
          </button>
        )}
        {state === 'done' && (
          <Link to="/p/$project/campaigns" params={{ project: slug }} className="button">
            To the campaigns
          </Link>
        )}
      </div>
      {isShown && <FirstSamples slug={slug} id={id} />}
    </>
  )
}

function FirstSamples({ slug, id }: { slug: string; id: string }) {
  const fill = useGet('GET /api/projects/{project}/fills/{fill}', { params: { project: slug, fill: id } })
  if (fill.isPending) return <Loading />
  if (fill.isError) return <Problem error={fill.error} />
  const { samples, models } = fill.data
  return (
    <div className="first-samples">
      <dl className="provenance">
        {models.map(({ name, hash }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="mono">{hash === undefined ? 'not loaded yet' : `weights ${hash.slice(0, 16)}`}</dd>
          </div>
        ))}
      </dl>
      {samples.map(({ row, prompt, completions }) => (
        <section key={row} aria-label={`Prompt ${row + 1}`}>
          <p className="text soft">
            {typeof prompt === 'string' ? prompt : prompt.map((turn) => turn.content).join('\n')}
          </p>
          <div className="beside">
            {completions.map(({ model, sample, completion, finished }) => (
              <div key={`${model} ${sample}`} className="answer">
                <span className="soft block">
                  {models[model]?.name}, sample {sample + 1}
                </span>
                <p className="text">{completion}</p>
                {!finished && <span className="warm">cut at the most tokens</span>}
              </div>
            ))}
          </div>
        </section>
      ))}
    </div>
  )
}

function NewFill({ slug }: { slug: string }) {
  const [isOpen, setOpen] = useState(false)
  const models = useGet('GET /api/projects/{project}/models', { params: { project: slug } }, { enabled: isOpen })
  const datasets = useGet('GET /api/projects/{project}/datasets', { params: { project: slug } }, { enabled: isOpen })
  const create = useWrite('POST /api/projects/{project}/fills', () => setOpen(false))
  if (!isOpen)
    return (
      <button type="button" className="primary" onClick={() => setOpen(true)}>
        Draw samples
      </button>
    )
  if (models.isPending || datasets.isPending) return <Loading />
  if (models.isError || datasets.isError) return <Problem error={models.error ?? datasets.error} />
  const prompts = datasets.data.datasets.filter(({ kind }) => kind === 'prompts' || kind === 'demonstrations')
  if (prompts.length === 0)
    return (
      <ImportFirst slug={slug}>
        prompts, rows {'{prompt}'} or {'{messages}'}
      </ImportFirst>
    )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    create.mutate({
      params: { project: slug },
      body: {
        name: text('name'),
        prompts: text('prompts'),
        models: [text('model'), text('against')].filter((name) => name !== ''),
        n: Number(text('n')),
        seed: Number(text('seed')),
        temperature: Number(text('temperature')),
        maxTokens: Number(text('maxTokens')),
      },
    })
  }
  return (
    <form className="panel narrow" onSubmit={submit}>
      <Field label="Name" hint="Of the dataset of comparisons; nothing in it says whose answers they are.">
        {(attributes) => <input {...attributes} name="name" required pattern="[a-z0-9][a-z0-9_\-]{0,39}" autoFocus />}
      </Field>
      <ModelField label="Model" name="model" models={models.data.models} />
      <ModelField
        label="Held against"
        name="against"
        models={models.data.models}
        none="itself: its samples with each other"
      />
      <DatasetField label="Prompts" name="prompts" datasets={prompts} />
      <Field label="Samples a prompt" hint="Of each model. Even, where a model is held against itself.">
        {(attributes) => <input {...attributes} name="n" type="number" min={1} max={16} defaultValue={2} required />}
      </Field>
      <Drawing />
      <Problem error={create.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={create.isPending}>
          Draw them
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          Leave it
        </button>
      </div>
    </form>
  )
}

type Models = AnswerOf<'GET /api/projects/{project}/models'>['models']
const KINDS = {
  release: 'Releases',
  run: 'Runs',
  checkpoint: 'Checkpoints',
  folder: 'Folders',
  base: 'Bundled',
} as const

/** A choice among the models of the project, by kind. `none`: what leaving it empty means. */
export function ModelField({
  label,
  name,
  models,
  none,
  value,
}: {
  label: string
  name: string
  models: Models
  none?: string
  /** Chosen at first. */
  value?: string | undefined
}) {
  return (
    <Field label={label}>
      {(attributes) => (
        <select {...attributes} name={name} defaultValue={value}>
          {none !== undefined && <option value="">{none}</option>}
          {Object.entries(KINDS).map(([kind, title]) => {
            const own = models.filter((model) => model.kind === kind)
            if (own.length === 0) return null
            return (
              <optgroup key={kind} label={title}>
                {own.map((model) => (
                  <option key={model.name} value={model.name}>
                    {model.name}
                    {model.recipe !== null && `, ${model.recipe}`}
                    {model.isSimulated && ', simulated annotators'}
                  </option>
                ))}
              </optgroup>
            )
          })}
        </select>
      )}
    </Field>
  )
}

/** How completions are drawn: seed, temperature, length. */
export function Drawing() {
  return (
    <div className="row thirds">
      <Field label="Seed">
        {(attributes) => <input {...attributes} name="seed" type="number" min={0} step={1} defaultValue={1} required />}
      </Field>
      <Field label="Temperature">
        {(attributes) => (
          <input
            {...attributes}
            name="temperature"
            type="number"
            min={0.05}
            max={2}
            step="any"
            defaultValue={1}
            required
          />
        )}
      </Field>
      <Field label="Most tokens">
        {(attributes) => (
          <input {...attributes} name="maxTokens" type="number" min={1} max={4096} defaultValue={256} required />
        )}
      </Field>
    </div>
  )
}

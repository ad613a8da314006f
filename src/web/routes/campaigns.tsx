// Campaigns: what is being judged, how far it is; and a new one from a dataset of comparisons.
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, textsOf } from '../parts.tsx'
import { DatasetField, ImportFirst } from './dataset-fields.tsx'
import { useProject } from './project.tsx'
import { many, peopleEach } from './words.ts'

export function CampaignsScreen() {
  const { slug, role } = useProject()
  const campaigns = useGet(
    'GET /api/projects/{project}/campaigns',
    { params: { project: slug } },
    { refetchInterval: 5000 },
  )
  return (
    <main id="content" className="page">
      <h1>Campaigns</h1>
      {(role === 'owner' || role === 'lead') && <NewCampaign slug={slug} />}
      {campaigns.isPending && <Loading />}
      {campaigns.isError && <Problem error={campaigns.error} />}
      {campaigns.data?.campaigns.length === 0 && (
        <Empty title="No campaign yet">
          <p>A campaign puts pairs of completions to people, who do not know where they come from.</p>
        </Empty>
      )}
      <ul className="cards">
        {campaigns.data?.campaigns.map(({ id, name, state, items, wanted, judged, atWork, ...rest }) => (
          <li key={id}>
            <Link to="/p/$project/campaigns/$campaign" params={{ project: slug, campaign: id }} className="card">
              <strong>{name}</strong>
              <span className="soft">
                {many(items, 'pair')}, {peopleEach(rest)} · {state}
                {atWork > 0 && ` · ${atWork} at work`}
              </span>
              <progress max={wanted} value={judged} aria-label={`Judged in ${name}`} />
              <span>
                {judged.toLocaleString('en')} of {many(wanted, 'judgement')}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </main>
  )
}

function NewCampaign({ slug }: { slug: string }) {
  const navigate = useNavigate()
  const [isOpen, setOpen] = useState(false)
  const [isAdaptive, setAdaptive] = useState(false)
  const datasets = useGet('GET /api/projects/{project}/datasets', { params: { project: slug } })
  const create = useWrite('POST /api/projects/{project}/campaigns', ({ id }) =>
    navigate({ to: '/p/$project/campaigns/$campaign', params: { project: slug, campaign: id } }),
  )
  const comparisons = datasets.data?.datasets.filter(({ kind }) => kind === 'comparisons') ?? []
  if (!isOpen)
    return (
      <button type="button" className="primary" onClick={() => setOpen(true)}>
        New campaign
      </button>
    )
  if (datasets.isPending) return <Loading />
  if (comparisons.length === 0) return <ImportFirst slug={slug}>comparisons, rows {'{item, prompt, a, b}'}</ImportFirst>
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    create.mutate({
      params: { project: slug },
      body: {
        name: text('name'),
        dataset: text('dataset'),
        overlap: Number(text('overlap')),
        ...(isAdaptive && { adaptive: { cap: Number(text('cap')), threshold: Number(text('threshold')) } }),
        seed: Number(text('seed')),
        goldRate: Number(text('gold')) / 100,
      },
    })
  }
  return (
    <form className="panel narrow" onSubmit={submit}>
      <Field label="Name">
        {(attributes) => <input {...attributes} name="name" required maxLength={80} autoFocus />}
      </Field>
      <DatasetField label="Comparisons" name="dataset" datasets={comparisons} />
      <Field label="People for each pair" hint="Three lets a majority speak and shows who disagrees.">
        {(attributes) => (
          <input {...attributes} name="overlap" type="number" min={1} max={9} defaultValue={3} required />
        )}
      </Field>
      <label className="check">
        <input type="checkbox" checked={isAdaptive} onChange={(event) => setAdaptive(event.target.checked)} /> Ask more
        people where they differ
      </label>
      {isAdaptive && (
        <>
          <Field label="Up to so many for a pair">
            {(attributes) => (
              <input {...attributes} name="cap" type="number" min={2} max={9} defaultValue={5} required />
            )}
          </Field>
          <Field label="Until one side is this probable" hint="By how reliable those who answered have shown to be.">
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
      <Field label="Seed" hint="Draws the order and the sides; the same seed draws them again.">
        {(attributes) => <input {...attributes} name="seed" type="number" min={0} step={1} defaultValue={1} required />}
      </Field>
      <Field
        label="Gold among the tasks, %"
        hint="Rows with gold: a or b, mixed in by lot. Qualification is set afterwards."
      >
        {(attributes) => (
          <input {...attributes} name="gold" type="number" min={0} max={50} step="any" defaultValue={0} required />
        )}
      </Field>
      <Problem error={create.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={create.isPending}>
          Open the campaign
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          Leave it
        </button>
      </div>
    </form>
  )
}

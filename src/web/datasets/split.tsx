// A version in parts by group, never by row: where the rows would go, also by stratum, and the parts as datasets.
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Field, Problem, textsOf } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { useExamined, Working } from './examined.tsx'

const KEY = 'GET /api/projects/{project}/datasets/{dataset}/split'
type Plan = Extract<AnswerOf<typeof KEY>, { state: 'done' }>
type Settings = { shares: string; by: string; stratified: boolean; seed: number }

const AS_USUAL: Settings = { shares: 'train=0.8,validation=0.1,test=0.1', by: 'group', stratified: false, seed: 1 }

export function Split({
  params,
  version,
  isKeeper,
}: {
  params: { project: string; dataset: string }
  version: string
  isKeeper: boolean
}) {
  const [settings, setSettings] = useState(AS_USUAL)
  const stratified = settings.stratified ? 'true' : 'false'
  const plan = useExamined(KEY, { params, query: { version, ...settings, stratified } })
  const split = useWrite('POST /api/projects/{project}/datasets/{dataset}/split')
  const change = (to: Settings): void => {
    split.reset()
    setSettings(to)
  }
  return (
    <section aria-labelledby="split">
      <h2 id="split">Split</h2>
      <SettingsForm params={params} version={version} change={change} />
      <Problem error={plan.error} />
      {plan.data?.state === 'running' && <Working>Dealing rows to the parts…</Working>}
      {plan.data?.state === 'done' && (
        <>
          <Sizes {...plan.data} by={settings.by} />
          {isKeeper && (
            <div className="row">
              <button
                type="button"
                className="primary"
                disabled={split.isPending}
                onClick={() => split.mutate({ params, body: { version, ...settings } })}
              >
                Make{' '}
                {Object.keys(plan.data.sizes)
                  .map((part) => `${params.dataset}-${part}`)
                  .join(', ')}
              </button>
            </div>
          )}
          <Problem error={split.error} />
          {split.data && (
            <ul className="waits" role="status">
              {split.data.made.map(({ name, version: hash, rows, isNew }) => (
                <li key={name}>
                  <Link
                    to="/p/$project/datasets/$dataset"
                    params={{ ...params, dataset: name }}
                    search={{ version: hash }}
                  >
                    {name} <span className="mono">{hash.slice(0, 12)}</span>
                  </Link>{' '}
                  {many(rows, 'row')}
                  {isNew ? '' : ', there already'}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  )
}

function SettingsForm({
  params,
  version,
  change,
}: {
  params: { project: string; dataset: string }
  version: string
  change: (settings: Settings) => void
}) {
  const first = useGet('GET /api/projects/{project}/datasets/{dataset}/rows', { params, query: { version, from: 0 } })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const given = textsOf(event)
    change({
      shares: given('shares').replaceAll(/\s/g, ''),
      by: given('by').trim(),
      stratified: given('stratified') !== '',
      seed: Number(given('seed')),
    })
  }
  return (
    <form onSubmit={submit} className="panel">
      <fieldset className="fields">
        <Field label="Shares" hint="Two parts or more, adding up to 1: each becomes a dataset.">
          {(attributes) => <input {...attributes} name="shares" required defaultValue={AS_USUAL.shares} />}
        </Field>
        <Field label="Kept together by" hint="Rows alike in this field stay together; without it those of one prompt.">
          {(attributes) => <input {...attributes} name="by" required list="row-fields" defaultValue={AS_USUAL.by} />}
        </Field>
        <Field label="Seed" hint="Decides who is where.">
          {(attributes) => (
            <input {...attributes} name="seed" type="number" min="0" step="1" required defaultValue={AS_USUAL.seed} />
          )}
        </Field>
      </fieldset>
      <datalist id="row-fields">
        {namesIn(first.data?.rows ?? []).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <label className="check-line">
        <input type="checkbox" name="stratified" value="yes" /> Keep the share of each stratum
        <span className="hint block">In small data. Groups may then move when rows are added.</span>
      </label>
      <div className="row">
        <button type="submit">Look where the rows go</button>
      </div>
    </form>
  )
}

/** Fields by whose text rows can be kept together. */
function namesIn(rows: readonly Record<string, unknown>[]): string[] {
  const names = rows.flatMap((row) =>
    Object.keys(row).filter((name) => ['string', 'number'].includes(typeof row[name])),
  )
  return [...new Set(names)].sort()
}

function Sizes({ groups, ungrouped, sizes, by }: Plan & { by: string }) {
  const parts = Object.entries(sizes)
  const strata = [...new Set(parts.flatMap(([, { strata: own }]) => Object.keys(own)))].sort()
  return (
    <>
      <p>
        Rows with the same {by} stay together: {many(groups, 'group')}.{' '}
        {ungrouped > 0 && `${many(ungrouped, 'row')} without ${by}, which stay with their prompt.`}
      </p>
      <div className="scrolls">
        <table className="counts">
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col">Share</th>
              <th scope="col">Rows</th>
              <th scope="col">Groups</th>
              {strata.map((stratum) => (
                <th scope="col" key={stratum}>
                  {stratum}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parts.map(([name, { rows, groups: own, share, strata: counts }]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <span className="bar" style={{ '--share': share } as object} aria-hidden="true" />
                  <span className="figure">{(100 * share).toFixed(1)}%</span>
                </td>
                <td>{rows.toLocaleString('en')}</td>
                <td>{own.toLocaleString('en')}</td>
                {strata.map((stratum) => (
                  <td key={stratum}>
                    {(counts[stratum] ?? 0).toLocaleString('en')}{' '}
                    <span className="soft">{(100 * ((counts[stratum] ?? 0) / rows)).toFixed(0)}%</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

// The coverage map: prompts in clusters of like words beside the demonstrations there are for each, what to write next first.
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { Field, Loading, Problem, textsOf } from '../parts.tsx'
import { ImportFirst } from '../routes/dataset-fields.tsx'
import { many } from '../routes/words.ts'
import { useExamined, Working } from './examined.tsx'
import { Quotas } from './quotas.tsx'

const KEY = 'GET /api/projects/{project}/datasets/{dataset}/coverage'
type Map = Extract<AnswerOf<typeof KEY>, { state: 'done' }>
type Cluster = Map['clusters'][number]
type Counts = Pick<Map, 'prompts' | 'demonstrations' | 'covered'>
type Settings = { demonstrations?: string; similarity: number; seed: number }

export function CoverageOf({ params, version }: { params: { project: string; dataset: string }; version: string }) {
  const [settings, setSettings] = useState<Settings>({ similarity: 0.3, seed: 1 })
  const all = useGet('GET /api/projects/{project}/datasets', { params: { project: params.project } })
  if (all.isPending) return <Loading />
  if (all.isError) return <Problem error={all.error} />
  const names = all.data.datasets
    .filter(({ kind, name }) => kind === 'demonstrations' && name !== params.dataset)
    .map(({ name }) => name)
  const demonstrations = settings.demonstrations ?? names[0]
  return (
    <section aria-labelledby="coverage">
      <h2 id="coverage">Coverage</h2>
      {demonstrations === undefined ? (
        <ImportFirst slug={params.project}>other demonstrations to hold these prompts against</ImportFirst>
      ) : (
        <>
          <SettingsForm names={names} change={setSettings} />
          <Shown params={params} query={{ ...settings, version, demonstrations }} />
        </>
      )}
    </section>
  )
}

function SettingsForm({ names, change }: { names: readonly string[]; change: (settings: Settings) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const given = textsOf(event)
    change({
      demonstrations: given('demonstrations'),
      similarity: Number(given('similarity')),
      seed: Number(given('seed')),
    })
  }
  return (
    <form onSubmit={submit} className="panel">
      <fieldset className="fields">
        <Field label="Demonstrations" hint="Those that are to cover these prompts.">
          {(attributes) => (
            <select {...attributes} name="demonstrations">
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Alike from" hint="Cosine of their words from which a demonstration covers a prompt, at most 1.">
          {(attributes) => (
            <input {...attributes} name="similarity" type="number" min="0.01" max="1" step="any" defaultValue="0.3" />
          )}
        </Field>
        <Field label="Seed" hint="Decides the clusters.">
          {(attributes) => <input {...attributes} name="seed" type="number" min="0" step="1" defaultValue="1" />}
        </Field>
      </fieldset>
      <div className="row">
        <button type="submit">Map</button>
      </div>
    </form>
  )
}

function Shown({
  params,
  query,
}: {
  params: { project: string; dataset: string }
  query: Settings & { version: string; demonstrations: string }
}) {
  const asked = useExamined(KEY, { params, query })
  if (asked.isError) return <Problem error={asked.error} />
  if (asked.data?.state !== 'done') return <Working>Putting like prompts together…</Working>
  const { clusters, strata, outside, quotas, ...all } = asked.data
  if (all.prompts === 0) return <p className="soft">These rows have no prompts.</p>
  const missing = clusters.filter(isMissing)
  return (
    <>
      <p>
        <b>{share(all)}</b> of {many(all.prompts, 'prompt')} have one of {many(all.demonstrations, 'demonstration')}{' '}
        like them.{' '}
        {missing.length > 0 &&
          `${missing.length} of ${many(clusters.length, 'cluster')} ${missing.length === 1 ? 'has' : 'have'} no demonstration: write for these next. `}
        {outside > 0 && `Of no cluster, since no word is shared with any: ${many(outside, 'demonstration')}.`}
      </p>
      {quotas.length > 0 && (
        <>
          <Quotas quotas={quotas} />
          <h3>By likeness</h3>
        </>
      )}
      <Bars title="Clusters" all={all}>
        {clusters.map((cluster, i) => ({ key: String(i), counts: cluster, title: <ClusterTitle {...cluster} /> }))}
      </Bars>
      {strata.length > 0 && (
        <>
          <h3>By stratum</h3>
          <Bars title="Strata" all={all}>
            {strata.map(({ stratum, ...counts }) => ({ key: stratum, counts, title: stratum }))}
          </Bars>
        </>
      )}
      <p className="soft">
        Clusters are found by the words of the prompts alone, without a model; each prompt counts once. A cluster is
        named by the words that set it apart. Bars are shares of all prompts and of all demonstrations: where the upper
        is longer, prompts come more often than demonstrations do.
      </p>
    </>
  )
}

/** What to write next. */
function isMissing({ demonstrations, prompts, covered }: Counts): boolean {
  return demonstrations === 0 && covered < prompts
}

function ClusterTitle(cluster: Cluster) {
  const { words, examples } = cluster
  return (
    <>
      {words.length > 0 ? words.join(' ') : <i>no word that another prompt has</i>}
      <details className="such-as" open={isMissing(cluster)}>
        <summary>{isMissing(cluster) ? 'Write for' : 'Such as'}</summary>
        <ul>
          {examples.map(({ text, isCovered }) => (
            <li key={text} className="text">
              {text} {isCovered && <span className="tag">covered</span>}
            </li>
          ))}
        </ul>
      </details>
    </>
  )
}

type Line = { key: string; counts: Counts; title: React.ReactNode }

function Bars({ title, all, children }: { title: string; all: Counts; children: readonly Line[] }) {
  const ofPrompts = ({ prompts }: Counts): number => prompts / all.prompts
  const ofShown = ({ demonstrations }: Counts): number => demonstrations / Math.max(1, all.demonstrations)
  const most = Math.max(0.01, ...children.flatMap(({ counts }) => [ofPrompts(counts), ofShown(counts)]))
  return (
    <table className="coverage">
      <caption className="unseen">{title}</caption>
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col">Prompts and demonstrations</th>
          <th scope="col">Covered</th>
        </tr>
      </thead>
      <tbody>
        {children.map(({ key, counts, title: name }) => (
          <tr key={key} className={isMissing(counts) ? 'is-missing' : undefined}>
            <th scope="row">{name}</th>
            <td>
              <Bar what="prompt" count={counts.prompts} share={ofPrompts(counts)} most={most} />
              <Bar what="demonstration" count={counts.demonstrations} share={ofShown(counts)} most={most} />
            </td>
            <td className="figure">{share(counts)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Bar({ what, count, share: of, most }: { what: string; count: number; share: number; most: number }) {
  const words = `${many(count, what)}, ${(100 * of).toFixed(1)}% of all`
  return (
    <span className="line" title={words}>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect className={`of-${what}`} x="0" y="0" height="10" width={(100 * of) / most} />
      </svg>
      <span>{many(count, what)}</span>
    </span>
  )
}

function share({ prompts, covered }: Counts): string {
  return prompts === 0 ? '–' : `${((100 * covered) / prompts).toFixed(0)}%`
}

// Datasets: import by drop or choice, and the way to each one's page.
import { useState } from 'react'
import { addressOf, ApiError, useGet } from '../api.ts'
import { useFileDrop } from '../file-drop.ts'
import { Empty, Field, Loading, Problem, Time } from '../parts.tsx'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useProject } from './project.tsx'
import { many } from './words.ts'

const KINDS = {
  prompts: '{prompt} or {messages}',
  demonstrations: '{prompt, completion} or {messages}',
  comparisons: '{item, prompt, a, b}',
  judgements: '{item, annotator, left, right, choice}',
  ratings: '{item, annotator, prompt, completion, ratings}',
} as const
type Kind = keyof typeof KINDS

export function DatasetsScreen() {
  const { slug, role } = useProject()
  const datasets = useGet('GET /api/projects/{project}/datasets', { params: { project: slug } })
  return (
    <main id="content" className="page">
      <h1>Datasets</h1>
      {['owner', 'lead', 'engineer'].includes(role) && <Import slug={slug} />}
      {datasets.isPending && <Loading />}
      {datasets.isError && <Problem error={datasets.error} />}
      {datasets.data?.datasets.length === 0 && (
        <Empty title="No dataset yet">
          <p>Drop a file above: prompts, demonstrations, or comparisons to be judged.</p>
        </Empty>
      )}
      {datasets.data && datasets.data.datasets.length > 0 && (
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Kind</th>
                <th scope="col">Rows</th>
                <th scope="col">Version</th>
                <th scope="col">Imported</th>
              </tr>
            </thead>
            <tbody>
              {datasets.data.datasets.map(({ name, kind, rows, version, versions, created }) => (
                <tr key={name}>
                  <th scope="row">
                    <Link to="/p/$project/datasets/$dataset" params={{ project: slug, dataset: name }}>
                      {name}
                    </Link>
                  </th>
                  <td>{kind}</td>
                  <td>{rows.toLocaleString('en')}</td>
                  <td>
                    <span className="mono">{version.slice(0, 12)}</span> <span className="soft">of {versions}</span>
                  </td>
                  <td>
                    <Time at={created} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  )
}

type Progress = { said: string; isWrong?: boolean; share?: number }

function Import({ slug }: { slug: string }) {
  const queries = useQueryClient()
  const [kind, setKind] = useState<Kind>('comparisons')
  const [progress, setProgress] = useState<Progress>()
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return
    const name = nameOf(file.name)
    setProgress({ said: `${file.name}: sending`, share: 0 })
    try {
      const made = await upload(slug, { name, kind, file }, (share) =>
        setProgress({ said: share < 1 ? `${file.name}: sending` : `${file.name}: reading every row`, share }),
      )
      setProgress({
        said: `${made.isNew ? 'Imported' : 'Already there:'} ${name}, ${many(made.rows, 'row')}, version ${made.version.slice(0, 12)}.`,
      })
      await queries.invalidateQueries()
    } catch (error) {
      setProgress({ said: `Nothing was imported. ${(error as Error).message}`, isWrong: true })
    }
  }
  const drop = useFileDrop((file) => void take(file))
  return (
    <section className="panel drop" aria-label="Import" {...drop.place}>
      <div className="row">
        <Field label="Kind of rows" hint={`JSONL, JSON or CSV, plain or gzip, or Parquet; rows ${KINDS[kind]}`}>
          {(attributes) => (
            <select {...attributes} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
              {Object.keys(KINDS).map((option) => (
                <option key={option}>{option}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Drop a file here, or choose one" hint="The file’s name becomes the dataset’s.">
          {(attributes) => <input {...attributes} type="file" onChange={drop.onChange} />}
        </Field>
      </div>
      {progress && (
        <div role={progress.isWrong ? 'alert' : 'status'} className={progress.isWrong ? 'problem' : 'soft'}>
          <span className="pre">{progress.said}</span>
          {progress.share !== undefined && <progress max={1} value={progress.share} aria-label="Sent" />}
        </div>
      )}
    </section>
  )
}

/** `My prompts.v2.jsonl.gz` as `my-prompts-v2`. */
function nameOf(file: string): string {
  const bare = file.replace(/\.gz$/i, '').replace(/\.(jsonl|ndjson|json|csv|parquet)$/i, '')
  return (
    bare
      .toLowerCase()
      .replaceAll(/[^a-z0-9_-]+/g, '-')
      .replaceAll(/^[-_]+|-+$/g, '')
      .slice(0, 40) || 'data'
  )
}

type Made = { rows: number; version: string; isNew: boolean }

/** Only XMLHttpRequest tells how much has been sent. */
function upload(
  slug: string,
  { name, kind, file }: { name: string; kind: Kind; file: File },
  onShare: (share: number) => void,
): Promise<Made> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest()
    const address = { params: { project: slug, dataset: name }, query: { kind, file: file.name } }
    request.open('POST', addressOf('POST /api/projects/{project}/datasets/{dataset}', address))
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.responseType = 'json'
    request.upload.addEventListener('progress', ({ loaded, total }) => onShare(total === 0 ? 0 : loaded / total))
    request.addEventListener('error', () => fail(new ApiError(0, 'The server cannot be reached.')))
    request.addEventListener('load', () => {
      const answer = request.response as (Made & { error?: { message: string } }) | null
      if (request.status === 200 && answer) done(answer)
      else fail(new ApiError(request.status, answer?.error?.message ?? `The server answered ${request.status}.`))
    })
    request.send(file)
  })
}

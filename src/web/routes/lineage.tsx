// Lineage as a picture: what something came from on its left, what was made of it on its right; every box leads on.
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useEffect, useRef } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { layers } from '../lineage-layers.ts'
import { Empty, Field, Loading, Problem, textsOf } from '../parts.tsx'
import { useProject } from './project.tsx'

type Walk = AnswerOf<'GET /api/projects/{project}/lineage/walk'>
type Node = Walk['nodes'][number]

export function LineageScreen() {
  const { slug } = useProject()
  const { id } = useSearch({ from: '/signed-in/p/$project/lineage' })
  const navigate = useNavigate()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const asked = textsOf(event)('id').trim()
    if (asked !== '') void navigate({ to: '/p/$project/lineage', params: { project: slug }, search: { id: asked } })
  }
  return (
    <main id="content" className="page">
      <h1>Lineage</h1>
      <form onSubmit={submit} className="row" key={id}>
        <Field label="Walk from" hint="A hash or its beginning, a run, a dataset, a release, the id of a judgement.">
          {(attributes) => <input {...attributes} name="id" required defaultValue={id} />}
        </Field>
        <button type="submit">Walk</button>
      </form>
      {id === undefined ? <Beginnings slug={slug} /> : <Walked slug={slug} id={id} />}
    </main>
  )
}

const TITLES: Record<string, string> = {
  release: 'Releases',
  evaluation: 'Evaluations',
  model: 'Models',
  run: 'Runs',
  dataset: 'Datasets',
  guideline: 'Guidelines',
}

function Beginnings({ slug }: { slug: string }) {
  const all = useGet('GET /api/projects/{project}/lineage', { params: { project: slug } })
  if (all.isPending) return <Loading />
  if (all.isError) return <Problem error={all.error} />
  if (all.data.nodes.length === 0)
    return (
      <Empty title="Nothing to walk over yet">
        <p>Datasets, runs, evaluations and releases appear here as they are made.</p>
      </Empty>
    )
  return (
    <div className="beginnings">
      {Object.entries(TITLES).map(([kind, title]) => {
        const own = all.data.nodes.filter((node) => node.kind === kind)
        if (own.length === 0) return null
        return (
          <section key={kind} aria-label={title}>
            <h2>{title}</h2>
            <ul className="waits">
              {own.map(({ id, label, detail }) => (
                <li key={id}>
                  <Link to="/p/$project/lineage" params={{ project: slug }} search={{ id }}>
                    {label}
                  </Link>{' '}
                  {detail !== undefined && <span className="soft clipped">{detail}</span>}
                </li>
              ))}
            </ul>
          </section>
        )
      })}
    </div>
  )
}

function Walked({ slug, id }: { slug: string; id: string }) {
  const walk = useGet('GET /api/projects/{project}/lineage/walk', { params: { project: slug }, query: { id } })
  if (walk.isPending) return <Loading />
  if (walk.isError) return <Problem error={walk.error} />
  const { target, nodes, edges, rows, rowsInAll } = walk.data
  return (
    <>
      <section className="panel" aria-label="What it is">
        <div>
          <h2>
            {target.kind} {target.label}
          </h2>
          {target.detail !== undefined && <p className="text">{target.detail}</p>}
          {/^[0-9a-f]{64}$/.test(target.id) && <p className="mono soft">{target.id}</p>}
        </div>
        <Link to="/p/$project/lineage" params={{ project: slug }} search={{}}>
          Everything that is known
        </Link>
      </section>
      <section aria-labelledby="picture">
        <h2 id="picture">
          It came from {nodes.filter(({ way }) => way === 'up').length};{' '}
          {nodes.filter(({ way }) => way === 'down').length} came of it
        </h2>
        <Picture slug={slug} nodes={nodes} edges={edges} />
      </section>
      {rows.length > 0 && (
        <section aria-labelledby="rows">
          <h2 id="rows">
            {rows.length < rowsInAll
              ? `The first ${rows.length} of ${rowsInAll.toLocaleString('en')} rows`
              : 'Its rows'}
          </h2>
          <ul className="waits">
            {rows.map((row) => (
              <li key={row.id}>
                <Link to="/p/$project/lineage" params={{ project: slug }} search={{ id: row.id }}>
                  {row.kind} {row.label}
                </Link>{' '}
                <span className="soft clipped">{row.detail}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

const BOX = { width: 196, height: 58, gapX: 58, gapY: 14 }

function Picture({ slug, nodes, edges }: { slug: string; nodes: Node[]; edges: Walk['edges'] }) {
  const placed = layers(nodes, edges)
  const rows = Math.max(...placed.map(({ row }) => row)) + 1
  const columns = Math.max(...placed.map(({ column }) => column)) + 1
  const x = (column: number): number => column * (BOX.width + BOX.gapX)
  const heights = Array.from(
    { length: columns },
    (_, column) => placed.filter((place) => place.column === column).length,
  )
  // Columns stand around one middle line.
  const y = (row: number, column: number): number =>
    (row + (rows - (heights[column] ?? rows)) / 2) * (BOX.height + BOX.gapY)
  const at = new Map(placed.map((place) => [place.node.id, place]))
  const target = placed.find(({ node }) => node.way === 'target')
  const frame = useRef<HTMLDivElement>(null)
  const middle = target ? x(target.column) + BOX.width / 2 : 0
  const level = target ? y(target.row, target.column) + BOX.height / 2 : 0
  useEffect(() => {
    const { current } = frame
    if (!current) return
    current.scrollLeft = middle - current.clientWidth / 2
    current.scrollTop = level - current.clientHeight / 2
  }, [middle, level])
  const [width, height] = [x(columns) - BOX.gapX, rows * (BOX.height + BOX.gapY) - BOX.gapY]
  return (
    <div ref={frame} className="scrolls picture" tabIndex={0} role="group" aria-label="Picture of what came from what">
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height}>
        {edges.map(({ from, to, roles }) => {
          const [a, b] = [at.get(from), at.get(to)]
          if (!a || !b) return null
          const [x1, y1] = [x(a.column) + BOX.width, y(a.row, a.column) + BOX.height / 2]
          const [x2, y2] = [x(b.column), y(b.row, b.column) + BOX.height / 2]
          const bend = (x2 - x1) / 2
          return (
            <path
              key={`${from} ${to}`}
              className={roles.includes('superseded by') ? 'edge is-superseding' : 'edge'}
              d={`M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
            >
              <title>
                {roles.includes('superseded by')
                  ? `${a.node.label} was superseded by ${b.node.label}`
                  : `${a.node.label}: ${[...new Set(roles)].join(', ')} of ${b.node.label}`}
              </title>
            </path>
          )
        })}
        {placed.map(({ node, column, row }) => (
          <foreignObject key={node.id} x={x(column)} y={y(row, column)} width={BOX.width} height={BOX.height}>
            <Link
              to="/p/$project/lineage"
              params={{ project: slug }}
              search={{ id: node.id }}
              className={`node is-${node.way}`}
              title={node.detail ?? node.label}
            >
              <span className="node-kind">{node.kind}</span> <span className="node-label">{node.label}</span>
            </Link>
          </foreignObject>
        ))}
      </svg>
    </div>
  )
}

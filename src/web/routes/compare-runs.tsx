// Several runs on the same charts, a colour each, and the settings in which they differ. Which ones stands in the address.
import { useQueries } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { AnswerOf } from '#server/contract'
import { call } from '../api.ts'
import { Empty, Loading, Problem } from '../parts.tsx'
import {
  type Curve,
  CurvePanel,
  CurveSettings,
  PANELS,
  placeOn,
  type Settings,
  useCurveSettings,
  words,
} from '../runs/curve-settings.tsx'
import { settingsOf } from '../runs/facts.tsx'
import { textOf } from '../runs/fields.tsx'
import type { Curves } from '../runs/use-live.ts'
import { useProject } from './project.tsx'

const CURVES = 'GET /api/projects/{project}/runs/{run}/curves'
const RUN = 'GET /api/projects/{project}/runs/{run}'
type Run = AnswerOf<typeof RUN>
/** One run a colour. */
const COLOURS = ['accent', 'check', 'warm', 'bad', 'soft'] as const
export const MOST_COMPARED = COLOURS.length
const POINTS = 600
const AGAIN_MILLISECONDS = 5000

export function CompareRunsScreen() {
  const { slug } = useProject()
  const { runs = '' } = useSearch({ from: '/signed-in/p/$project/compare' })
  const names = [...new Set(runs.split(',').filter(Boolean))].slice(0, MOST_COMPARED)
  const curves = useQueries({
    queries: names.map((run) => ({
      queryKey: [CURVES, { project: slug, run }, { points: POINTS }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call(CURVES, { params: { project: slug, run }, query: { points: POINTS }, signal }),
      refetchInterval: AGAIN_MILLISECONDS,
    })),
  })
  const facts = useQueries({
    queries: names.map((run) => ({
      queryKey: [RUN, { project: slug, run }, {}],
      queryFn: ({ signal }: { signal: AbortSignal }) => call(RUN, { params: { project: slug, run }, signal }),
    })),
  })
  const error = [...curves, ...facts].find((each) => each.isError)?.error ?? null
  const shown = curves.map(({ data }) => data)
  const known = facts.map(({ data }) => data)
  return (
    <main id="content" className="page">
      <h1>Runs beside each other</h1>
      {names.length < 2 && (
        <Empty title="Choose two runs or more">
          <p>
            Tick them in the{' '}
            <Link to="/p/$project/runs" params={{ project: slug }}>
              list of runs
            </Link>
            .
          </p>
        </Empty>
      )}
      <ul className="compared">
        {names.map((run, i) => (
          <li key={run} className={`key key-${COLOURS[i]!}`}>
            <Link to="/p/$project/runs/$run" params={{ project: slug, run }}>
              {run}
            </Link>{' '}
            <span className="soft">{known[i]?.recipe}</span>
          </li>
        ))}
      </ul>
      <Problem error={error} />
      {names.length > 1 && !error && (areThere(shown) ? <Charts names={names} all={shown} /> : <Loading />)}
      {names.length > 1 && areThere(known) && <Differences names={names} runs={known} />}
    </main>
  )
}

function areThere<T>(all: readonly (T | undefined)[]): all is readonly T[] {
  return all.every((each) => each !== undefined)
}

function Charts({ names, all }: { names: readonly string[]; all: readonly Curves[] }) {
  const [settings, change] = useCurveSettings()
  const known = new Set(PANELS.flatMap((panel) => panel.names))
  const there = new Set(all.flatMap(({ series }) => series.map(({ name }) => name)))
  const others = [...there].filter((name) => !known.has(name))
  const panels = [
    ...PANELS.flatMap((panel) =>
      panel.names.flatMap((name) => (there.has(name) ? [{ name, title: titleOf(panel, name) }] : [])),
    ),
    ...(settings.isAll ? others.map((name) => ({ name, title: words(name) })) : []),
  ]
  if (there.size === 0) return <p className="soft">No step yet.</p>
  return (
    <>
      <CurveSettings settings={settings} onChange={change} hasMore={others.length > 0} />
      <div className="charts">
        {panels.map(({ name, title }) => (
          <MetricPanel key={name} {...{ name, title, names, all, settings }} />
        ))}
      </div>
    </>
  )
}

/** The first metric of a panel has its name; what it is shown with in a run's own page stands by itself here. */
const titleOf = ({ title, names }: (typeof PANELS)[number], name: string): string =>
  name === names[0] ? title : `${title}, held out`

function MetricPanel({
  name,
  title,
  names,
  all,
  settings,
}: {
  name: string
  title: string
  names: readonly string[]
  all: readonly Curves[]
  settings: Settings
}) {
  const { axis } = settings
  const curves = useMemo(
    () =>
      all.flatMap(({ series, axes }, i): Curve[] => {
        const own = series.find((each) => each.name === name)
        return own ? [{ ...own, label: names[i]!, colour: COLOURS[i]!, xOf: placeOn(axes, axis) }] : []
      }),
    [all, names, name, axis],
  )
  return <CurvePanel title={title} curves={curves} settings={settings} />
}

/** Settings that are not the same in all of them; what a run leaves out is shown as such. */
function Differences({ names, runs }: { names: readonly string[]; runs: readonly Run[] }) {
  const all = runs.map((run) => new Map(settingsOf(run)))
  const rows = [...new Set(all.flatMap((settings) => [...settings.keys()]))]
    .map((key) => ({ key, values: all.map((settings) => textOf(settings.get(key)) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1)
    .sort((x, y) => x.key.localeCompare(y.key))
  return (
    <section aria-labelledby="differences">
      <h2 id="differences">Where their settings differ</h2>
      {rows.length === 0 ? (
        <p className="soft">Nowhere.</p>
      ) : (
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Setting</th>
                {names.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, values }) => (
                <tr key={key}>
                  <th scope="row">{words(key)}</th>
                  {values.map((value, i) => (
                    <td key={names[i]!}>{value}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

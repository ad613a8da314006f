// One run, live: curves, what the KL bought, samples, alarms, config, inputs, log; and what may be asked of it.
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { addressOf, useGet, useWrite } from '../api.ts'
import { Field, Loading, Problem } from '../parts.tsx'
import { Bought, CurvesSection } from '../runs/curves.tsx'
import { Facts, Log } from '../runs/facts.tsx'
import { given, textIn, type Schema, useFirstProblem } from '../runs/fields.tsx'
import { figure } from '../runs/line-chart.tsx'
import { PreferencesSection } from '../runs/preferences.tsx'
import { SamplesSection } from '../runs/samples.tsx'
import { problemsOf, SettingsFields } from '../runs/start-form.tsx'
import { type Curves, useLive } from '../runs/use-live.ts'
import { RestsOnWithdrawn, Superseding } from './again.tsx'
import { ObjectivesDiffer, UnderObjective } from './made-under.tsx'
import { useProject } from './project.tsx'
import { mayStart, RunState } from './runs.tsx'
import { age, many } from './words.ts'

type Run = AnswerOf<'GET /api/projects/{project}/runs/{run}'>
type Params = { project: string; run: string }

export function RunScreen() {
  const { slug, role } = useProject()
  const { run: name } = useParams({ from: '/signed-in/p/$project/runs/$run' })
  const params = { project: slug, run: name }
  const run = useGet('GET /api/projects/{project}/runs/{run}', { params }, { refetchInterval: 5000 })
  const { live, error } = useLive(slug, name)
  const [isBranching, setBranching] = useState(false)
  const hasTurned = live?.state && run.data && live.state.state !== run.data.state
  const { refetch } = run
  // What only the folder says (checkpoints, outcome) is asked anew when the state turns.
  useEffect(() => void (hasTurned && refetch()), [hasTurned, refetch])
  if (!run.data)
    return run.isError ? (
      <main id="content" className="page">
        <h1>This run cannot be opened</h1>
        <Problem error={run.error} />
      </main>
    ) : (
      <Loading />
    )
  const now = { ...run.data, ...live?.state }
  return (
    <main id="content" className="page">
      <h1>{name}</h1>
      <p className="run-head">
        <RunState run={now} /> <span className="soft">{now.recipe}</span>
        {now.step !== null && (
          <span>
            {' '}
            step <b>{now.step.toLocaleString('en')}</b>
            {now.of !== null && ` of ${now.of.toLocaleString('en')}`}
          </span>
        )}
        {live && now.state === 'running' && <Left curves={live.curves} of={now.of} />}
        <span className="soft">
          {' '}
          · {now.by ?? 'command line'}, {age(now.madeAt)}
          {now.attempts > 1 && `, attempt ${now.attempts}`}
          {run.data.objective && <UnderObjective slug={slug} {...run.data.objective} />}
        </span>
      </p>
      {now.of !== null && now.step !== null && now.state !== 'done' && (
        <progress max={now.of} value={now.step} aria-label="Steps done" />
      )}
      {now.waitsFor && (
        <p className="away">
          Waits for <b>{many(now.waitsFor.missing, 'judgement')}</b> of the fresh pairs at step {now.waitsFor.step}, in{' '}
          <Link to="/p/$project/campaigns/$campaign" params={{ project: slug, campaign: now.waitsFor.campaign }}>
            {now.waitsFor.name}
          </Link>
          . It goes on by itself when they are in{now.by === null && ', once it is resumed'}.
        </p>
      )}
      {now.reason !== '' && !now.waitsFor && now.state !== 'done' && (
        <p className={now.state === 'failed' ? 'problem' : 'away'}>{now.reason}</p>
      )}
      <ObjectivesDiffer sentence={run.data.objectivesDiffer} />
      <Superseding slug={slug} run={run.data} />
      {mayStart(role) && <RestsOnWithdrawn slug={slug} run={name} />}
      {run.data.outcome !== '' && now.state === 'done' && <p>{run.data.outcome}</p>}
      {mayStart(role) && (
        <div className="row">
          <Asks params={params} may={now.may} />
          {run.data.checkpoints.length > 0 && !isBranching && (
            <button type="button" onClick={() => setBranching(true)}>
              Branch from a checkpoint
            </button>
          )}
        </div>
      )}
      {isBranching && <Branch params={params} run={run.data} onLeave={() => setBranching(false)} />}
      <Problem error={error} />
      {live ? (
        <>
          <section aria-labelledby="curves">
            <h2 id="curves">
              Curves <LiveDot isLive={live.isConnected} />
            </h2>
            <CurvesSection
              curves={live.curves}
              csv={addressOf('GET /api/projects/{project}/runs/{run}/metrics', { params })}
            />
          </section>
          <Alarms alarms={live.curves.alarms} />
          <Bought marks={live.curves.marks} />
          {live.samples.length > 0 && <SamplesSection samples={live.samples} />}
        </>
      ) : (
        !error && <Loading />
      )}
      {typeof run.data.config.judgements === 'number' && mayStart(role) && (
        <PreferencesSection slug={slug} run={name} judgements={run.data.config.judgements} />
      )}
      <Facts run={run.data} />
      {live && live.log.length > 0 && <Log lines={live.log} />}
    </main>
  )
}

function LiveDot({ isLive }: { isLive: boolean }) {
  return (
    <span className={isLive ? 'live' : 'live is-off'} role="status">
      {isLive ? 'live' : 'connecting'}
    </span>
  )
}

/** Time left by the pace of the last steps seen. */
function Left({ curves: { axes }, of }: { curves: Curves; of: number | null }) {
  const last = axes.steps.length - 1
  const first = Math.max(0, last - 20)
  const steps = (axes.steps[last] ?? 0) - (axes.steps[first] ?? 0)
  const seconds = ((axes.at[last] ?? 0) - (axes.at[first] ?? 0)) / 1000
  if (of === null || steps < 2 || seconds <= 0) return null
  const left = ((of - axes.steps[last]!) * seconds) / steps
  const text =
    left < 90 ? `${Math.ceil(left)} s` : left < 5400 ? `${Math.ceil(left / 60)} min` : `${(left / 3600).toFixed(1)} h`
  const speed = axes.tokens.length > 1 ? (axes.tokens[last]! - axes.tokens[first]!) / seconds : 0
  return (
    <span className="soft">
      {' '}
      · about {text} left{speed > 0 && `, ${figure(Math.round(speed))} tokens/s`}
    </span>
  )
}

function Asks({ params, may }: { params: Params; may: readonly ('stop' | 'pause' | 'resume')[] }) {
  const pause = useWrite('POST /api/projects/{project}/runs/{run}/pause')
  const resume = useWrite('POST /api/projects/{project}/runs/{run}/resume')
  const stop = useWrite('POST /api/projects/{project}/runs/{run}/stop')
  const button = (
    what: (typeof may)[number],
    ask: typeof stop | typeof pause | typeof resume,
    label: string,
  ): ReactNode =>
    may.includes(what) && (
      <button type="button" disabled={ask.isPending} onClick={() => ask.mutate({ params })}>
        {label}
      </button>
    )
  return (
    <>
      {button('pause', pause, 'Pause')}
      {button('resume', resume, 'Resume')}
      {button('stop', stop, 'Stop')}
      <Problem error={pause.error ?? resume.error ?? stop.error} />
    </>
  )
}

function Branch({ params, run, onLeave }: { params: Params; run: Run; onLeave: () => void }) {
  const navigate = useNavigate()
  const form = useRef<HTMLFormElement>(null)
  const forms = useGet('GET /api/projects/{project}/recipes', { params: { project: params.project } })
  const branch = useWrite('POST /api/projects/{project}/runs/{run}/branch', ({ run: made }) =>
    navigate({ to: '/p/$project/runs/$run', params: { project: params.project, run: made } }).then(onLeave),
  )
  const problems = problemsOf(branch.error)
  useFirstProblem(form, problems)
  const settings = forms.data?.recipes.find(({ name }) => name === run.recipe)?.settings as Schema | undefined
  if (!settings) return <Loading />
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const filled = new FormData(event.currentTarget)
    branch.mutate({
      params,
      body: {
        name: textIn(filled, 'name'),
        step: Number(filled.get('step')),
        settings: given(filled, 'settings', settings),
      },
    })
  }
  const steps = [...run.checkpoints].reverse()
  return (
    <form className="panel start" onSubmit={submit} ref={form} aria-label="Branch">
      <p className="soft">
        A new run that goes on from a checkpoint of this one, with its models and data. What is left empty stays.
      </p>
      <div className="fields">
        <Field label="Name">
          {(attributes) => (
            <input
              {...attributes}
              name="name"
              required
              defaultValue={`${run.run}-2`.slice(-40)}
              aria-invalid={problems?.name !== undefined}
            />
          )}
        </Field>
        <Field label="Checkpoint">
          {(attributes) => (
            <select {...attributes} name="step">
              {steps.map((step) => (
                <option key={step} value={step}>
                  step {step}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <SettingsFields
        settings={settings}
        now={(run.config.config ?? {}) as Record<string, unknown>}
        problems={problems}
      />
      <Problem error={branch.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={branch.isPending}>
          Start the branch
        </button>
        <button type="button" onClick={onLeave}>
          Leave it
        </button>
      </div>
    </form>
  )
}

function Alarms({ alarms }: { alarms: Curves['alarms'] }) {
  if (alarms.length === 0) return null
  const told = alarms as unknown as {
    step: number
    name: string
    rule: string
    value: number
    threshold: number
    action: string
  }[]
  return (
    <section aria-labelledby="alarms">
      <h2 id="alarms">Alarms</h2>
      <ul className="waits">
        {told.map(({ step, name, rule, value, threshold, action }) => (
          <li key={`${step} ${name}`}>
            <b className="warm">{name}</b> at step {step}: {rule}{' '}
            <span className="soft">
              ({figure(value)}, threshold {figure(threshold)}; {action})
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

// Releases: what each name stands for and how it came to that; candidacies with the evidence of every rule, waivers, signature.
import { Link } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, textsOf, Time } from '../parts.tsx'
import { ApiKeys } from './api-keys.tsx'
import { ObjectivesDiffer, UnderObjective } from './made-under.tsx'
import { NewCandidacy } from './new-candidacy.tsx'
import { useProject } from './project.tsx'

type Releases = AnswerOf<'GET /api/projects/{project}/releases'>
type Candidacy = Releases['candidacies'][number]
type Release = Releases['releases'][number]

export function ReleasesScreen() {
  const { slug, role } = useProject()
  const all = useGet('GET /api/projects/{project}/releases', { params: { project: slug } }, { refetchInterval: 5000 })
  return (
    <main id="content" className="page">
      <h1>Releases</h1>
      {all.isPending && <Loading />}
      {all.isError && <Problem error={all.error} />}
      {all.data?.releases.length === 0 && (
        <Empty title="Nothing is released yet">
          <p>
            A model is put to rules over its evaluations; when they pass, and a second person signs, a name stands for
            it.
          </p>
        </Empty>
      )}
      {all.data?.releases.map((release) => (
        <ReleaseHistory
          key={release.name}
          slug={slug}
          release={release}
          mayRollBack={['owner', 'lead', 'reviewer'].includes(role)}
        />
      ))}
      {['owner', 'lead', 'engineer'].includes(role) && all.data && <NewCandidacy slug={slug} rules={all.data.rules} />}
      {all.data && all.data.candidacies.length > 0 && (
        <section aria-labelledby="candidacies">
          <h2 id="candidacies">Put to the rules</h2>
          {all.data.candidacies.map((candidacy) => (
            <CandidacyCard key={candidacy.id} slug={slug} candidacy={candidacy} role={role} />
          ))}
        </section>
      )}
      {['owner', 'lead', 'engineer'].includes(role) && <ApiKeys slug={slug} mayMake={role !== 'engineer'} />}
    </main>
  )
}

function ReleaseHistory({ slug, release, mayRollBack }: { slug: string; release: Release; mayRollBack: boolean }) {
  const { name, history } = release
  const [back, setBack] = useState<number>()
  const rollBack = useWrite('POST /api/projects/{project}/releases/{release}/rollback', () => setBack(undefined))
  const now = history[0]!
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const reason = textsOf(event)('reason')
    rollBack.mutate({ params: { project: slug, release: name }, body: { to: back!, reason } })
  }
  return (
    <section className="panel" aria-label={name}>
      <div>
        <h2>{name}</h2>
        <p>
          stands for <b>{now.model}</b>, <span className="mono">weights {now.hash.slice(0, 16)}</span> ·{' '}
          <Link to="/p/$project/lineage" params={{ project: slug }} search={{ id: `release ${name} #${now.id}` }}>
            what it came from
          </Link>
        </p>
        {now.simulated && <p className="away">Behind it stand simulated annotators.</p>}
        {now.lapsedAt !== null && (
          <p className="problem">
            Waiver expired <Time at={now.lapsedAt} />. It goes on answering, and every answer says so: waive the rule
            for longer, put the model to the rules anew, or go back.
          </p>
        )}
      </div>
      <ol className="history">
        {history.map((entry, i) => (
          <li key={entry.id}>
            <span className="mono">#{entry.id}</span> {entry.model}{' '}
            <span className="soft">
              {entry.hash.slice(0, 12)} · {entry.backTo === null ? 'released' : `back to #${entry.backTo}`} by{' '}
              {entry.by}, <Time at={entry.at} />
              {entry.reason !== '' && ` · ${entry.reason}`}
            </span>
            {i === 0 && <span className="tag">now</span>}
            {entry.lapsedAt !== null && <span className="tag warm">waiver expired</span>}
            {mayRollBack && entry.hash !== now.hash && entry.lapsedAt === null && back !== entry.id && (
              <button type="button" className="quiet" onClick={() => setBack(entry.id)}>
                Go back to it
              </button>
            )}
          </li>
        ))}
      </ol>
      {back !== undefined && (
        <form onSubmit={submit} className="narrow">
          <Field label={`Why back to #${back}?`}>
            {(attributes) => <input {...attributes} name="reason" required maxLength={2000} autoFocus />}
          </Field>
          <Problem error={rollBack.error} />
          <div className="row">
            <button type="submit" className="primary" disabled={rollBack.isPending}>
              Go back
            </button>
            <button type="button" onClick={() => setBack(undefined)}>
              Leave it
            </button>
          </div>
        </form>
      )}
    </section>
  )
}

function standing({ signOff, verdict }: Candidacy): ReactNode {
  if (signOff === 'released' && verdict === 'refused')
    return <span className="mark failed">released, waiver expired</span>
  if (signOff === 'released') return <span className="mark passed">released</span>
  if (signOff === 'refused') return <span className="mark failed">refused by signature</span>
  if (verdict === 'refused') return <span className="mark failed">refused by the rules</span>
  return <span className="mark waiting">{verdict}, waits for a signature</span>
}

function CandidacyCard({ slug, candidacy, role }: { slug: string; candidacy: Candidacy; role: string }) {
  const { id, release, model, hash, evaluations, gates, simulated, askedBy, askedAt, waivers } = candidacy
  const { signedBy, signedAt, signOff, signReason, verdict, isMine, objective, objectivesDiffer } = candidacy
  const [waived, setWaived] = useState<string>()
  const passed = gates.filter((gate) => gate.passed).length
  const isOpen = signOff === null
  return (
    <article className="panel" aria-label={`${model} as ${release}`}>
      <div>
        <h3>
          {model} as {release} {standing(candidacy)}
        </h3>
        <p className="soft">
          <span className="mono">weights {hash.slice(0, 16)}</span> · asked by {askedBy}, <Time at={askedAt} /> ·{' '}
          {evaluations.map(({ name, label }) => (label === undefined ? name : `${name} as ${label}`)).join(', ')}
          <UnderObjective slug={slug} id={objective} />
        </p>
        <ObjectivesDiffer sentence={objectivesDiffer} />
        {simulated && <p className="away">Behind these evaluations, or this model, stand simulated annotators.</p>}
      </div>
      <p>
        <b>
          {passed} of {gates.length}
        </b>{' '}
        rules passed.
      </p>
      <ul className="gates">
        {gates.map((gate) => {
          const own = waivers.filter((waiver) => waiver.gate === gate.name)
          return (
            <li key={gate.name}>
              <span
                className={
                  gate.passed ? 'mark passed' : own.some(({ counts }) => counts) ? 'mark waiting' : 'mark failed'
                }
              >
                {gate.passed ? 'passed' : own.some(({ counts }) => counts) ? 'waived' : 'failed'}
              </span>
              <div>
                <b>{gate.name}</b>
                <span className="block">{gate.evidence}</span>
                {gate.rule !== undefined && <span className="soft block">rule: {gate.rule}</span>}
                {own.map((waiver) => (
                  <span key={waiver.id} className={waiver.counts ? 'block' : 'block warm'}>
                    {waiver.counts ? 'waived' : 'was waived, and no longer is,'} by {waiver.by} until{' '}
                    <Time at={waiver.expiresAt} />: {waiver.reason}
                  </span>
                ))}
                {!gate.passed &&
                  signOff !== 'refused' &&
                  (role === 'owner' || role === 'lead') &&
                  waived !== gate.name && (
                    <button type="button" className="quiet" onClick={() => setWaived(gate.name)}>
                      {own.some(({ counts }) => counts) ? 'Waive it for longer' : 'Waive this rule'}
                    </button>
                  )}
                {waived === gate.name && (
                  <Waive slug={slug} candidacy={id} gate={gate.name} onEnd={() => setWaived(undefined)} />
                )}
              </div>
            </li>
          )
        })}
      </ul>
      {signedAt !== null && (
        <p>
          {signOff === 'released' ? 'Signed' : 'Refused'} by <b>{signedBy}</b>, <Time at={signedAt} />
          {signReason !== '' && `: ${signReason}`}
        </p>
      )}
      {isOpen && (role === 'owner' || role === 'reviewer') && !isMine && (
        <Sign slug={slug} candidacy={id} mayRelease={verdict !== 'refused'} />
      )}
      {isOpen && isMine && <p className="soft">You asked for this, so somebody else signs: a reviewer, or an owner.</p>}
    </article>
  )
}

function Waive({ slug, candidacy, gate, onEnd }: { slug: string; candidacy: string; gate: string; onEnd: () => void }) {
  const waive = useWrite('POST /api/projects/{project}/candidacies/{candidacy}/waivers', onEnd)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const body = { gate, reason: text('reason'), days: Number(text('days')) }
    waive.mutate({ params: { project: slug, candidacy }, body })
  }
  return (
    <form onSubmit={submit} className="narrow">
      <Field label="Why may this rule be passed over?">
        {(attributes) => <input {...attributes} name="reason" required maxLength={2000} autoFocus />}
      </Field>
      <Field label="For how many days" hint="After that it no longer counts. It bears your name, in the audit log too.">
        {(attributes) => (
          <input {...attributes} name="days" type="number" min={1} max={365} defaultValue={14} required />
        )}
      </Field>
      <Problem error={waive.error} />
      <div className="row">
        <button type="submit" disabled={waive.isPending}>
          Waive it
        </button>
        <button type="button" onClick={onEnd}>
          Leave it
        </button>
      </div>
    </form>
  )
}

function Sign({ slug, candidacy, mayRelease }: { slug: string; candidacy: string; mayRelease: boolean }) {
  const [reason, setReason] = useState('')
  const sign = useWrite('POST /api/projects/{project}/candidacies/{candidacy}/signature')
  const as = (signOff: 'released' | 'refused') =>
    sign.mutate({ params: { project: slug, candidacy }, body: { signOff, reason } })
  return (
    <div className="narrow sign">
      <Field label="Your word on it" hint="Kept with your name.">
        {(attributes) => (
          <input {...attributes} value={reason} onChange={(event) => setReason(event.target.value)} maxLength={2000} />
        )}
      </Field>
      <Problem error={sign.error} />
      <div className="row">
        {mayRelease && (
          <button type="button" className="primary" disabled={sign.isPending} onClick={() => as('released')}>
            Sign and release
          </button>
        )}
        <button type="button" disabled={sign.isPending} onClick={() => as('refused')}>
          Refuse
        </button>
      </div>
    </div>
  )
}

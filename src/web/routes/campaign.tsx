// One campaign as a lead sees it: progress, agreement with intervals, each person, flags; and the judgements taken out.
import { Link, useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { AnswerOf } from '#server/contract'
import { addressOf, useGet, useWrite } from '../api.ts'
import { Empty, Loading, Problem, Time } from '../parts.tsx'
import { Adjudication } from './campaign-adjudication.tsx'
import { CriteriaAgreement, StrataAgreement } from './campaign-criteria.tsx'
import { Matrix } from './campaign-matrix.tsx'
import { AnnotatorModels } from './campaign-models.tsx'
import { Answers } from './campaign-answers.tsx'
import { Deadline } from './campaign-deadline.tsx'
import { Demonstrations } from './campaign-demonstrations.tsx'
import { CoefficientRow } from './coefficients.tsx'
import { ItemOrder } from './campaign-order.tsx'
import { People } from './campaign-people.tsx'
import { SharingOut } from './campaign-sharing.tsx'
import { Suggestions } from './campaign-suggestions.tsx'
import { KINDS } from './kinds.ts'
import { KeepForm } from './keep.tsx'
import { AskedExpertise } from './credentials.tsx'
import { UnderObjective } from './made-under.tsx'
import { useProject } from './project.tsx'
import { SKIPPED } from './skip-policy.tsx'
import { many, peopleEach } from './words.ts'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>

export function CampaignScreen() {
  const { slug, role } = useProject()
  const { campaign: id } = useParams({ from: '/signed-in/p/$project/campaigns/$campaign' })
  const params = { project: slug, campaign: id }
  const campaign = useGet('GET /api/projects/{project}/campaigns/{campaign}', { params }, { refetchInterval: 5000 })
  if (campaign.isPending) return <Loading />
  if (campaign.isError)
    return (
      <main id="content" className="page">
        <h1>This campaign cannot be opened</h1>
        <Problem error={campaign.error} />
      </main>
    )
  const {
    kind,
    name,
    state,
    items,
    wanted,
    judged,
    atWork,
    dropped,
    skipPolicy,
    guidelineNumber,
    dataset,
    version,
    agreement,
    adjudication,
    matrix,
    people,
    flags,
    skips,
    giveaways,
  } = campaign.data
  const mayAdjudicate = ['owner', 'lead', 'reviewer'].includes(role)
  return (
    <main id="content" className="page">
      <h1>{name}</h1>
      <p className="soft">
        {many(items, KINDS[kind].item)} of <span className="mono">{`${dataset}@${version.slice(0, 12)}`}</span>,{' '}
        {campaign.data.isCalibration ? 'a calibration round' : peopleEach(campaign.data)}, guideline version{' '}
        {guidelineNumber}
        <UnderObjective slug={slug} id={campaign.data.objective} number={campaign.data.objectiveNumber} />
        {campaign.data.criteria.length > 0 &&
          `, also asked about ${campaign.data.criteria.map((criterion) => criterion.name).join(', ')}`}
        {campaign.data.goldItems > 0 && `, ${goldIn(campaign.data)}`}
        {skipPolicy !== 'to-others' && `; what somebody skips ${SKIPPED[skipPolicy]}`}
      </p>
      <div>
        <progress max={wanted} value={judged} aria-label={KINDS[kind].done} />
        <p>
          <b>{judged.toLocaleString('en')}</b> of {many(wanted, KINDS[kind].given)}
          <span className="soft">
            {' '}
            · {state}
            {atWork > 0 && ` · ${atWork} at work now`}
            {dropped > 0 && ` · ${many(dropped, KINDS[kind].item)} dropped`}
          </span>
        </p>
      </div>
      <AskedExpertise expertise={campaign.data.expertise} />
      <Deadline params={params} campaign={campaign.data} isLead={role === 'owner' || role === 'lead'} />
      <ItemOrder params={params} campaign={campaign.data} isLead={role === 'owner' || role === 'lead'} />
      <div className="row">
        {role !== 'viewer' && (
          <Link to={KINDS[kind].work} params={params} className="button">
            {KINDS[kind].verb}
          </Link>
        )}
        {campaign.data.isCalibration && state === 'closed' && role !== 'viewer' && (
          <Link to="/p/$project/discuss/$campaign" params={params} className="button">
            Everybody’s answers
          </Link>
        )}
        {(role === 'owner' || role === 'lead') && (
          <>
            <State params={params} state={state} isOver={campaign.data.isCalibration && state === 'closed'} />
            {kind === 'pairs' && (
              <Link to="/p/$project/campaigns/$campaign/gold" params={params} className="button">
                Gold and qualification
              </Link>
            )}
          </>
        )}
        {kind === 'pairs' && ['owner', 'lead', 'engineer'].includes(role) && judged > 0 && (
          <a
            className="button"
            href={addressOf('GET /api/projects/{project}/campaigns/{campaign}/judgements', { params })}
            download
          >
            Download judgements
          </a>
        )}
      </div>
      {!campaign.data.isCalibration && (
        <SharingOut params={params} isLead={role === 'owner' || role === 'lead'} words={KINDS[kind]} />
      )}
      {(kind === 'ratings' || kind === 'rankings') && <Answers params={params} kind={kind} dataset={dataset} />}
      {kind === 'demonstrations' && <Demonstrations params={params} dataset={dataset} />}
      {kind === 'pairs' && (
        <>
          <Agreement agreement={agreement} />
          <CriteriaAgreement criteria={campaign.data.criteria} agreementBy={campaign.data.agreementBy} />
          <StrataAgreement strata={campaign.data.strata} />
          <Suggestions params={params} isLead={role === 'owner' || role === 'lead'} />
          <Adjudication params={params} counts={adjudication} mayAdjudicate={mayAdjudicate} />
          <People people={people} params={params} isLead={role === 'owner' || role === 'lead'} />
          <Matrix matrix={matrix} people={people} />
          {judged > 0 && <AnnotatorModels params={params} isLead={role === 'owner' || role === 'lead'} />}
        </>
      )}
      <Giveaways {...giveaways} params={params} mayAdjudicate={mayAdjudicate && kind === 'pairs'} />
      {skips.length > 0 && (
        <section aria-labelledby="skips">
          <h2 id="skips">Why people skipped</h2>
          <ul className="waits">
            {skips.map(({ reason, times }) => (
              <li key={reason}>
                {reason} <span className="soft">{many(times, 'time')}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {flags.length > 0 && (
        <section aria-labelledby="flags">
          <h2 id="flags">Flagged</h2>
          <ul className="waits">
            {flags.map(({ item, by, note, at }) => (
              <li key={`${item} ${at}`}>
                <span className="mono">{item}</span> {note}{' '}
                <span className="soft">
                  {by}, <Time at={at} />
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {kind === 'pairs' && ['owner', 'lead', 'engineer'].includes(role) && judged > 0 && (
        <Keep params={params} suggested={`${dataset}-judged`} />
      )}
    </main>
  )
}

function Giveaways({
  items,
  first,
  params,
  mayAdjudicate,
}: Campaign['giveaways'] & { params: { project: string; campaign: string }; mayAdjudicate: boolean }) {
  if (items === 0) return null
  return (
    <section aria-labelledby="giveaways">
      <h2 id="giveaways">Answers that may give their author away</h2>
      <p>
        {many(items, 'item')} may not be judged blind. Annotators still get {items === 1 ? 'it' : 'them'}
        {mayAdjudicate ? '; a pair that does tell can be left out as wrong.' : '.'}
      </p>
      <ul className="waits">
        {first.map(({ id, item, found }) => (
          <li key={id}>
            {mayAdjudicate ? (
              <Link to="/p/$project/adjudicate/$campaign/$item" params={{ ...params, item: id }} className="mono">
                {item}
              </Link>
            ) : (
              <span className="mono">{item}</span>
            )}{' '}
            {found.map((words) => `“${words}”`).join(', ')}
          </li>
        ))}
      </ul>
      {items > first.length && <p className="soft">and {(items - first.length).toLocaleString('en')} more</p>}
    </section>
  )
}

function goldIn({ goldItems, goldRate, qualification }: Campaign): string {
  const mixed = goldRate > 0 ? ` mixed in at ${Number((100 * goldRate).toFixed(1))}%` : ''
  const first = qualification ? `; a qualification of ${qualification.items} comes first` : ''
  return `${many(goldItems, 'gold pair')}${mixed}${first}`
}

function State({
  params,
  state,
  isOver,
}: {
  params: { project: string; campaign: string }
  state: Campaign['state']
  /** Never to be opened again. */
  isOver: boolean
}) {
  const change = useWrite('PUT /api/projects/{project}/campaigns/{campaign}/state')
  const to = (next: Campaign['state'], label: string): ReactNode => (
    <button type="button" disabled={change.isPending} onClick={() => change.mutate({ params, body: { state: next } })}>
      {label}
    </button>
  )
  return (
    <>
      {state === 'open' && to('paused', 'Pause')}
      {state !== 'open' && !isOver && to('open', 'Open')}
      {state !== 'closed' && to('closed', 'Close')}
      <Problem error={change.error} />
    </>
  )
}

const COEFFICIENTS = [
  ['percent', 'Percent agreement', 'two people on the same pair give the same answer'],
  ['alpha', 'Krippendorff’s α', 'beyond chance; a better, tie, b better'],
  ['alphaOrdinal', 'α, ordinal', 'a tie lies between the two'],
  ['alphaInterval', 'α, interval', 'a tie lies half-way, distances squared'],
  ['fleiss', 'Fleiss’ κ', 'beyond chance'],
  ['gwetAC1', 'Gwet’s AC1', 'robust where one answer prevails'],
  ['gwetAC2', 'Gwet’s AC2', 'the same, a tie agreeing half with a side'],
  ['cohen', 'Cohen’s κ', 'beyond chance, each person’s own'],
] as const

function Agreement({ agreement }: { agreement: Campaign['agreement'] }) {
  return (
    <section aria-labelledby="agreement">
      <h2 id="agreement">Agreement</h2>
      {agreement ? (
        <>
          <p className="soft">Over {many(agreement.items, 'pair')}; bars are 95% intervals, resampled over pairs.</p>
          {agreement.warning !== undefined && <p className="away">{agreement.warning}</p>}
          <div className="scrolls">
            <table className="bars">
              <thead className="unseen">
                <tr>
                  <th scope="col">Coefficient</th>
                  <th scope="col">Value</th>
                  <th scope="col">Interval</th>
                </tr>
              </thead>
              <tbody>
                {COEFFICIENTS.map(([key, label, means]) => (
                  <CoefficientRow
                    key={key}
                    {...{ label, means, of: agreement[key], isShare: key === 'percent' }}
                    absent={
                      agreement[key] === undefined
                        ? 'of exactly two people, and others judged too'
                        : 'not defined: the answers do not vary enough'
                    }
                  />
                ))}
              </tbody>
            </table>
          </div>
        </>
      ) : (
        <Empty title="Not yet known">
          <p>Agreement shows once two people have judged the same pair.</p>
        </Empty>
      )}
    </section>
  )
}

function Keep({ params, suggested }: { params: { project: string; campaign: string }; suggested: string }) {
  const keep = useWrite('POST /api/projects/{project}/campaigns/{campaign}/judgements')
  return (
    <KeepForm
      label="Keep the judgements as a dataset version"
      hint="Rows as hone train reward takes them, names replaced; each keeps the id of its judgement."
      suggested={suggested}
      what="judgement"
      keep={keep}
      onKeep={(dataset) => keep.mutate({ params, body: { dataset } })}
    >
      {({ excluded, file }) => (
        <>
          {excluded > 0 && `, ${many(excluded, 'wrong pair')} left out`}. Train with{' '}
          <code className="mono">{`hone train reward --data ${file}`}</code>
        </>
      )}
    </KeepForm>
  )
}

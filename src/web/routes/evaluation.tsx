// One evaluation: what is held against what, the win rate with its interval, by stratum, and pair by pair once all is judged.
import { Link, useParams } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { IntervalBar } from '../interval-bar.tsx'
import { Loading, Problem, Time } from '../parts.tsx'
import { RatingCharts } from '../rating-chart.tsx'
import { Items } from './evaluation-items.tsx'
import { EVALUATION_STATES } from './evaluations.tsx'
import { useProject } from './project.tsx'
import { many } from './words.ts'

type Evaluation = AnswerOf<'GET /api/projects/{project}/evaluations/{evaluation}'>
type Result = NonNullable<Evaluation['result']>
type Rate = NonNullable<Evaluation['winRate']>

export function EvaluationScreen() {
  const { slug, role } = useProject()
  const { evaluation: id } = useParams({ from: '/signed-in/p/$project/evaluations/$evaluation' })
  const params = { project: slug, evaluation: id }
  const evaluation = useGet(
    'GET /api/projects/{project}/evaluations/{evaluation}',
    { params },
    { refetchInterval: 4000 },
  )
  const record = useWrite('POST /api/projects/{project}/evaluations/{evaluation}/record')
  if (evaluation.isPending) return <Loading />
  if (evaluation.isError)
    return (
      <main id="content" className="page">
        <h1>This evaluation cannot be opened</h1>
        <Problem error={evaluation.error} />
      </main>
    )
  const { name, candidate, opponent, models, prompts, settings, state, problem, suite, round } = evaluation.data
  const { samples, judgements, campaign, winRate, result, isSimulated, recordedBy, recordedAt, artifact } =
    evaluation.data
  return (
    <main id="content" className="page">
      <h1>{name}</h1>
      <p className="soft">
        {many(settings.n, 'sample')} a prompt of {prompts}, seed {settings.seed}, temperature {settings.temperature},{' '}
        {settings.overlap} {settings.overlap === 1 ? 'person' : 'people'} each
        {settings.criteria.length > 0 && `, also by ${settings.criteria.map((criterion) => criterion.name).join(', ')}`}{' '}
        · {EVALUATION_STATES[state]}
      </p>
      {isSimulated && <p className="away">Behind one of these models stand simulated annotators.</p>}
      <dl className="provenance">
        {models.map(({ name: model, hash, rated }, i) => (
          <Side key={i} role={i === 0 ? 'Candidate' : 'Against'} name={model} hash={hash} rated={rated} />
        ))}
      </dl>
      {problem !== null && <p className="problem">{problem}</p>}
      {state === 'drawing' && (
        <div>
          <progress max={samples.wanted} value={samples.drawn} aria-label="Drawn" />
          <p>
            {samples.drawn.toLocaleString('en')} of {many(samples.wanted, 'sample')}
          </p>
        </div>
      )}
      {(state === 'judging' || (state === 'judged' && !result && !round)) && (
        <div>
          <progress max={Math.max(1, judgements.wanted)} value={judgements.judged} aria-label="Judged" />
          <p>
            <b>{judgements.judged.toLocaleString('en')}</b> of {many(judgements.wanted, 'judgement')}{' '}
            <span className="soft">· who wrote what, and who wins, is told once every pair has its answers</span>
          </p>
        </div>
      )}
      <div className="row">
        {campaign !== null && (
          <Link to="/p/$project/campaigns/$campaign" params={{ project: slug, campaign }} className="button">
            The campaign
          </Link>
        )}
        {campaign !== null && state === 'judging' && role !== 'viewer' && (
          <Link to="/p/$project/judge/$campaign" params={{ project: slug, campaign }} className="button">
            Judge
          </Link>
        )}
        {(result || round?.state === 'done') && state === 'judged' && (role === 'owner' || role === 'lead') && (
          <button
            type="button"
            className="primary"
            disabled={record.isPending}
            onClick={() => record.mutate({ params })}
          >
            Record the result
          </button>
        )}
      </div>
      <Problem error={record.error} />
      {winRate && result && <Outcome rate={winRate} result={result} candidate={candidate} opponent={opponent} />}
      {round && <RoundOutcome round={round} />}
      {recordedAt !== null && artifact !== null && (
        <p className="soft">
          Recorded by {recordedBy}, <Time at={recordedAt} />, as <span className="mono">{artifact.slice(0, 16)}</span>.
          Gates know it as <span className="mono">{`${suite}.${models.length > 2 ? 'ratings.NAME' : 'win-rate'}`}</span>
          .
        </p>
      )}
      {result && <Items items={result.items} />}
    </main>
  )
}

function Side({ role, name, hash, rated }: { role: string; name: string; hash: string | null; rated: string | null }) {
  return (
    <div>
      <dt>
        {role}: {name}
        {rated !== null && rated !== name && <span className="soft"> rated as {rated}</span>}
      </dt>
      <dd className="mono soft">{hash === null ? 'not loaded yet' : `weights ${hash.slice(0, 16)}`}</dd>
    </div>
  )
}

function Outcome({
  rate,
  result,
  candidate,
  opponent,
}: {
  rate: Rate
  result: Result
  candidate: string
  opponent: string
}) {
  const verdict =
    rate.low > 0.5
      ? `${candidate} is preferred`
      : rate.high < 0.5
        ? `${opponent} is preferred`
        : 'neither is shown to be better'
  return (
    <section aria-labelledby="outcome">
      <h2 id="outcome">
        {(rate.value * 100).toFixed(1)}% for {candidate}: {verdict}
      </h2>
      <p className="soft">
        95% interval {(rate.low * 100).toFixed(1)}% to {(rate.high * 100).toFixed(1)}%, resampled over {rate.n} prompts;
        a tie is half a win. Sign test p {rate.p < 0.001 ? 'below 0.001' : `= ${rate.p.toFixed(3)}`}.
      </p>
      <Split wins={rate.wins} ties={rate.ties} losses={rate.losses} />
      {asides(result).length > 0 && <p className="soft">{asides(result).join(' ')}</p>}
      <Rates of="Stratum" rates={[{ ...rate, name: 'all' }, ...result.strata]} />
      {result.criteria.length > 0 && (
        <>
          <h3>By criterion</h3>
          <p className="soft">
            Each by its own answers to the same question; every interval is its own, so of twenty one may miss by
            chance.
          </p>
          <Rates of="Criterion" rates={result.criteria} />
          {result.weighted && <WeightedRate weighted={result.weighted} names={{ candidate, opponent }} />}
        </>
      )}
    </section>
  )
}

/** Ratings of three models or more, and a win rate of each two. */
function RoundOutcome({ round }: { round: NonNullable<Evaluation['round']> }) {
  if (round.state === 'failed')
    return (
      <p className="problem" role="alert">
        No ratings: {round.problem}
      </p>
    )
  if (round.state === 'running')
    return (
      <p className="soft" role="status">
        Working the ratings out, each interval from a thousand draws of the prompts…
      </p>
    )
  const { figures, couples, warning } = round
  return (
    <section aria-labelledby="outcome">
      <h2 id="outcome">Ratings</h2>
      {warning !== null && <p className="away">{warning}</p>}
      <p className="soft">
        Bradley-Terry, a tie half a win for either, of mean 0; 95% intervals, resampled over prompts. Style controlled:
        for answers alike in length and markdown.
      </p>
      <RatingCharts figures={figures} />
      {asides(round).length > 0 && <p className="soft">{asides(round).join(' ')}</p>}
      <h3>Each two by their own pairs</h3>
      <Rates of="Pair of models" rates={couples.map((each) => ({ ...each, name: `${each.of} over ${each.over}` }))} />
    </section>
  )
}

type Weighted = NonNullable<Result['weighted']>

/** One figure by the weights of the objective, and whether weights like them would say the same. */
function WeightedRate({ weighted, names }: { weighted: Weighted; names: { candidate: string; opponent: string } }) {
  const { weights, ofWeight, standing, sensitivity, range, holds } = weighted
  const words = {
    ahead: `${names.candidate} is ahead`,
    behind: `${names.opponent} is ahead`,
    'not shown': 'neither is shown to be ahead',
  }
  const turns = sensitivity.filter((each) => each.standing !== standing)
  return (
    <>
      <h3>By the weights of the objective: {words[standing]}</h3>
      <p className="soft">
        {Object.entries(weights)
          .map(([name, weight]) => `${name} ${(weight * 100).toFixed(0)}%`)
          .join(', ')}
        {ofWeight < 1 && `, which is ${(ofWeight * 100).toFixed(0)}% of what all criteria weigh`}. Constraints are in no
        sum. With weights a fifth lighter or heavier it lies from {range.low.toFixed(2)} to {range.high.toFixed(2)};{' '}
        {holds
          ? 'who is ahead does not depend on it.'
          : `who is ahead depends on it: ${turns.map((each) => `${each.criterion} × ${each.times}: ${words[each.standing]}`).join('; ') || 'all weights at once change it'}.`}
      </p>
      <Rates of="Overall" rates={[{ ...weighted, name: 'weighted' }]} />
    </>
  )
}

type Named = Pick<Rate, 'value' | 'low' | 'high' | 'n'> & { name: string; cannotJudge?: number }

function Rates({ of, rates }: { of: string; rates: readonly Named[] }) {
  return (
    <table className="bars">
      <thead className="unseen">
        <tr>
          <th scope="col">{of}</th>
          <th scope="col">Win rate</th>
          <th scope="col">Interval</th>
        </tr>
      </thead>
      <tbody>
        {rates.map(({ name, n, cannotJudge = 0, ...each }) => (
          <tr key={name}>
            <th scope="row">
              {name}
              <span className="soft block">
                {many(n, 'prompt')}
                {cannotJudge > 0 && `, ${many(cannotJudge, 'pair')} could not be judged by it`}
              </span>
            </th>
            <td className="figure">{each.value.toFixed(2)}</td>
            <td>
              <IntervalBar {...each} from={0} to={1} mark={0.5} label={`Win rate, ${name}`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Wins, ties and losses as one bar. */
function Split({ wins, ties, losses }: { wins: number; ties: number; losses: number }) {
  const all = Math.max(1, wins + ties + losses)
  const words = `${wins} won, ${ties} tied, ${losses} lost`
  const parts = [
    ['split-win', 0, wins],
    ['split-tie', wins, ties],
    ['split-loss', wins + ties, losses],
  ] as const
  return (
    <div className="split">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={words}>
        <title>{words}</title>
        {parts.map(([kind, from, count]) => (
          <rect key={kind} className={kind} x={(from / all) * 100} width={(count / all) * 100} y="0" height="10" />
        ))}
      </svg>
      <span>
        <b>{wins}</b> won · <b>{ties}</b> tied · <b>{losses}</b> lost
      </span>
    </div>
  )
}

/** What is to be known of pairs that are in no rate, or in it by another word than the judgements'. */
function asides({
  equal,
  cannotJudge,
  adjudicated,
  excluded,
}: Omit<Result, 'items' | 'strata' | 'criteria' | 'weighted'>): string[] {
  const says: [number, string][] = [
    [equal, 'got the same text from both, which counts as a tie.'],
    [cannotJudge, 'could not be judged and are in no rate.'],
    [adjudicated, 'count as an adjudicator decided.'],
    [excluded, 'were called wrong by an adjudicator and are in no rate.'],
  ]
  return says.flatMap(([count, words]) => (count > 0 ? [`${many(count, 'pair')} ${words}`] : []))
}

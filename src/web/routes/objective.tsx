// The objective: what is asked of an answer, criterion by criterion, its versions, and what each of them changed.
import { useState } from 'react'
import type { Criterion, Objective } from '#schema'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { Empty, Field, Loading, Problem, Time } from '../parts.tsx'
import { ObjectiveChange } from './objective-change.tsx'
import { NEW_CRITERION } from './criterion-fields.tsx'
import { MadeUnder, OtherObjectives, type Under, useMadeUnder } from './made-under.tsx'
import { inHand, ObjectiveForm, savedSince, whenBegun } from './objective-form.tsx'
import { useProject } from './project.tsx'
import { type Begun, DISCARD, LeftNotice, OBJECTIVE, type ObjectiveInHand, useUnsaved } from './unsaved.tsx'
import { many, targetInWords } from './words.ts'

type Shown = AnswerOf<'GET /api/projects/{project}/objective'>

export function ObjectiveScreen() {
  const { slug, role } = useProject()
  const objective = useGet('GET /api/projects/{project}/objective', { params: { project: slug } })
  const [number, setNumber] = useState<number>()
  const [begun, setBegun] = useState<Begun<ObjectiveInHand>>()
  const isLead = role === 'owner' || role === 'lead'
  const unsaved = useUnsaved(OBJECTIVE, slug, { isLead })
  const made = useMadeUnder(slug, { isShown: role !== 'annotator' })
  const [refusal, setRefusal] = useState<Error | null>(null)
  const older = useGet(
    'GET /api/projects/{project}/objective/versions/{number}',
    { params: { project: slug, number: String(number) } },
    { enabled: number !== undefined },
  )
  if (objective.isPending || unsaved.isPending) return <Loading />
  if (objective.isError) return <Problem error={objective.error} />
  if (unsaved.error) return <Problem error={unsaved.error} />
  const { versions, hash, version, problem } = objective.data
  const shown = number === undefined ? objective.data.objective : older.data?.objective
  const empty: Objective = { name: slug, version: '1', summary: '', criteria: [NEW_CRITERION] }
  // A file that is no version becomes one first.
  const next = (versions[0]?.number ?? 0) + (hash !== null && version === null ? 2 : 1)
  const end = (): void => {
    setBegun(undefined)
    setNumber(undefined)
  }
  const { left } = unsaved
  const discard = (): void => {
    if (window.confirm(DISCARD)) void unsaved.discard().then(() => setRefusal(null), setRefusal)
  }
  if (begun)
    return (
      <main id="content" className="page">
        <h1>Objective</h1>
        <ObjectiveForm slug={slug} begun={begun} next={next} onEnd={end} onDiscard={unsaved.discard} />
      </main>
    )
  return (
    <main id="content" className="page">
      <h1>Objective</h1>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}. Mend the file in the workspace, or move it away.
        </p>
      )}
      {left && problem === null && (
        <LeftNotice
          savedAt={left.draft?.savedAt}
          begunWhen={whenBegun(left.content.from, versions)}
          since={left.content.from === hash ? undefined : savedSince(objective.data)}
          error={refusal}
          onGoOn={() => setBegun(left)}
          onDiscard={discard}
        />
      )}
      {(versions.length > 0 || shown) && (
        <div className="row">
          {versions.length > 0 && (
            <Field label="Version">
              {(attributes) => (
                <select
                  {...attributes}
                  value={number ?? version ?? ''}
                  onChange={(event) =>
                    setNumber(
                      event.target.value === '' || Number(event.target.value) === version
                        ? undefined
                        : Number(event.target.value),
                    )
                  }
                >
                  {version === null && <option value="">the file of the workspace</option>}
                  {versions.map((each) => (
                    <option key={each.number} value={each.number}>
                      {each.number}
                      {byWhom(each)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
          {isLead && !left && problem === null && (
            <button
              type="button"
              disabled={number !== undefined && !shown}
              onClick={() => setBegun({ content: inHand(shown ?? empty, hash) })}
            >
              {number === undefined ? 'Edit' : `Edit, beginning from version ${number}`}
            </button>
          )}
        </div>
      )}
      {number === undefined && version === null && problem === null && (
        <Standing isThere={shown !== null} isSaved={versions.length > 0} />
      )}
      <Problem error={made.error} />
      {number !== undefined && older.isPending && <Loading />}
      <Problem error={older.error} />
      {shown && <Whole objective={shown} />}
      {!shown && number === undefined && problem === null && versions.length === 0 && (
        <Empty title="No objective yet">
          <p>
            A lead writes it: what is asked of an answer, criterion by criterion. Releases are held to its targets, and
            people can be asked about its criteria.
          </p>
          {isLead && !left && (
            <p>
              <button type="button" className="primary" onClick={() => setBegun({ content: inHand(empty, hash) })}>
                Write the objective
              </button>
            </p>
          )}
        </Empty>
      )}
      {versions.length > 0 && (
        <Versions versions={versions} slug={slug} onShow={setNumber} under={made.data?.objectives} />
      )}
      {made.data && <OtherObjectives slug={slug} under={made.data.objectives} now={hash} />}
    </main>
  )
}

/** Where the file is no version: it never was one, was changed by other hands, or is gone. */
function Standing({ isThere, isSaved }: { isThere: boolean; isSaved: boolean }) {
  if (!isSaved)
    return isThere ? (
      <p className="soft">From the workspace’s file. The first save keeps it as version 1 and makes version 2.</p>
    ) : null
  return (
    <p className="warm" role="status">
      {isThere
        ? 'The file in the workspace was changed outside of the server since the last version. What you see is the file; it becomes a version when somebody saves.'
        : 'The file in the workspace is gone. Its versions are here: choose one and edit it to write the file again.'}
    </p>
  )
}

function Whole({ objective: { name, version, summary, criteria } }: { objective: Objective }) {
  const constraints = criteria.filter(({ constraint }) => constraint).length
  return (
    <>
      <p className="lead">{summary}</p>
      <p className="soft">
        {name}, labelled {version}: {criteria.length === 1 ? 'one criterion' : `${criteria.length} criteria`}
        {constraints > 0 && `, ${constraints} of them ${constraints === 1 ? 'a hard constraint' : 'hard constraints'}`}
      </p>
      <ul className="cards wide">
        {criteria.map((criterion) => (
          <li key={criterion.name} className="card still criterion" aria-labelledby={`of-${criterion.name}`}>
            <CriterionCard {...criterion} />
          </li>
        ))}
      </ul>
    </>
  )
}

function CriterionCard(criterion: Criterion) {
  const { name, definition, good, bad, borderline, scale, weight, owner, source, constraint, targets } = criterion
  return (
    <>
      <h2 id={`of-${name}`}>
        {name}
        {constraint && <span className="tag warm">hard constraint</span>}
      </h2>
      <p>{definition}</p>
      <dl className="examples">
        {(
          [
            ['Good', good],
            ['Bad', bad],
            ['Borderline', borderline],
          ] as const
        ).map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text === '' ? <span className="soft">no example</span> : text}</dd>
          </div>
        ))}
      </dl>
      <dl className="provenance">
        {(
          [
            ['Weight', weight],
            ['Scale', `${scale.low} to ${scale.high}`],
            ['Owner', owner],
            ['Source', source],
          ] as const
        )
          .filter(([, text]) => text !== '')
          .map(([label, text]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{text}</dd>
            </div>
          ))}
      </dl>
      {targets.length > 0 ? (
        <ul className="said">
          {targets.map((target, i) => (
            <li key={`${i}`}>{targetInWords(target)}</li>
          ))}
        </ul>
      ) : (
        <p className="soft">No targets.</p>
      )}
    </>
  )
}

function Versions({
  versions,
  slug,
  onShow,
  under = [],
}: Pick<Shown, 'versions'> & { slug: string; onShow: (number: number) => void; under?: readonly Under[] | undefined }) {
  const [changesOf, setChangesOf] = useState<number>()
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">{many(versions.length, 'version')}</h2>
      <ol className="history">
        {versions.map((each) => (
          <li key={each.number}>
            <b>Version {each.number}</b>
            <span className="soft">
              {byWhom(each)}, <Time at={each.madeAt} />
            </span>
            <span className="mono soft block">{each.hash.slice(0, 12)}</span>
            {each.note !== '' && <span className="block breaks">{each.note}</span>}
            <MadeUnder slug={slug} under={under.find(({ number }) => number === each.number)} />
            <span className="block">
              <button
                type="button"
                className="quiet"
                onClick={() => {
                  onShow(each.number)
                  window.scrollTo({ top: 0 })
                }}
              >
                Show<span className="unseen"> version {each.number}</span>
              </button>
              {each.number > 1 && (
                <button
                  type="button"
                  className="quiet"
                  aria-expanded={changesOf === each.number}
                  onClick={() => setChangesOf(changesOf === each.number ? undefined : each.number)}
                >
                  What changed<span className="unseen"> in version {each.number}</span>
                </button>
              )}
            </span>
            {changesOf === each.number && <ObjectiveChange slug={slug} number={each.number} />}
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Null: by nobody here. Annotators are told no names. */
const byWhom = ({ by }: { by?: string | null | undefined }): string =>
  by === undefined ? '' : by === null ? ', made outside of the server' : ` by ${by}`

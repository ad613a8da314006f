// What a check finds in a version, row beside row where two clash, and the rows that pass as the next version.
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Field, Problem, textsOf } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { useExamined, Working } from './examined.tsx'
import { RowFields } from './row.tsx'

const KEY = 'GET /api/projects/{project}/datasets/{dataset}/check'
type Checked = Extract<AnswerOf<typeof KEY>, { state: 'done' }>
type One = Checked['checks'][number]
type Finding = One['findings'][number]
type Settings = { heldOut?: string; evaluation?: string; similarity: number; words: number; policy: string }

const NAMES = Object.keys({
  empty: true,
  roles: true,
  template: true,
  length: true,
  'personal-data': true,
  'identical-sides': true,
  'exact-duplicate': true,
  'near-duplicate': true,
  contradiction: true,
  'leak-group': true,
  'leak-text': true,
  contamination: true,
} satisfies Record<Exclude<One['check'], 'token-budget' | 'constraint'>, true>)
const AS_USUAL: Settings = { similarity: 0.8, words: 13, policy: '' }
const POLICIES = { 'set-aside': 'set aside', note: 'noted', off: 'not looked for' } as const

export function Checks({
  params,
  version,
  isKeeper,
  onKept,
}: {
  params: { project: string; dataset: string }
  version: string
  isKeeper: boolean
  onKept: (version: string) => void
}) {
  const [settings, setSettings] = useState(AS_USUAL)
  const asked = useExamined(KEY, { params, query: { version, ...settings } })
  const keep = useWrite('POST /api/projects/{project}/datasets/{dataset}/check', (made) => onKept(made.version))
  const checked = asked.data?.state === 'done' ? asked.data : undefined
  return (
    <section aria-labelledby="checks">
      <h2 id="checks">Checks</h2>
      <SettingsForm project={params.project} change={setSettings} />
      <Problem error={asked.error} />
      {asked.data?.state === 'running' && <Working>Looking at every row…</Working>}
      {checked && (
        <>
          <Summary {...checked} />
          {isKeeper && checked.setAside > 0 && checked.kept > 0 && (
            <div className="row">
              <button
                type="button"
                className="primary"
                disabled={keep.isPending}
                onClick={() => keep.mutate({ params, body: { version, ...settings } })}
              >
                Keep the {many(checked.kept, 'row')} that pass as the next version
              </button>
            </div>
          )}
          <Problem error={keep.error} />
          {checked.checks
            .filter(({ rows }) => rows > 0)
            .map((one) => (
              <Found key={one.check} {...one} />
            ))}
        </>
      )}
    </section>
  )
}

function SettingsForm({ project, change }: { project: string; change: (settings: Settings) => void }) {
  const all = useGet('GET /api/projects/{project}/datasets', { params: { project } })
  const others = (all.data?.datasets ?? []).filter(({ kind }) => kind !== 'judgements' && kind !== 'ratings')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const given = textsOf(event)
    const policy = NAMES.flatMap((check) => (given(check) === '' ? [] : [`${check}=${given(check)}`]))
    change({
      ...(given('heldOut') !== '' && { heldOut: given('heldOut') }),
      ...(given('evaluation') !== '' && { evaluation: given('evaluation') }),
      similarity: Number(given('similarity')),
      words: Number(given('words')),
      policy: policy.join(','),
    })
  }
  const dataset = (name: string, label: string, hint: string) => (
    <Field label={label} hint={hint}>
      {(attributes) => (
        <select {...attributes} name={name} defaultValue="">
          <option value="">none</option>
          {others.map((other) => (
            <option key={other.name}>{other.name}</option>
          ))}
        </select>
      )}
    </Field>
  )
  return (
    <form onSubmit={submit} className="panel">
      <fieldset className="fields">
        {dataset('heldOut', 'Held-out rows', 'Neither their groups nor their prompts may be among these rows.')}
        {dataset('evaluation', 'Evaluation rows', 'No run of their words may be among these rows.')}
        <Field label="Near-duplicates from" hint="Share of word 5-grams that two texts have in common.">
          {(attributes) => (
            <input {...attributes} name="similarity" type="number" min="0.01" max="1" step="any" defaultValue="0.8" />
          )}
        </Field>
        <Field label="Words of a run" hint="From so many in a row a text is taken from the evaluation.">
          {(attributes) => <input {...attributes} name="words" type="number" min="3" max="50" defaultValue="13" />}
        </Field>
      </fieldset>
      <details className="fold">
        <summary>What is done about each</summary>
        <fieldset className="fields">
          {NAMES.map((check) => (
            <Field key={check} label={check}>
              {(attributes) => (
                <select {...attributes} name={check} defaultValue="">
                  <option value="">as usual</option>
                  {Object.entries(POLICIES).map(([policy, words]) => (
                    <option key={policy} value={policy}>
                      {words}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          ))}
        </fieldset>
      </details>
      <div className="row">
        <button type="submit">Check</button>
      </div>
    </form>
  )
}

function Summary({ rows, kept, setAside, noted, lengths, checks }: Checked) {
  const off = checks.filter(({ policy }) => policy === 'off').map(({ check }) => check)
  const most = Math.max(1, ...checks.map((one) => one.rows))
  return (
    <>
      <p>
        Of {many(rows, 'row')} <b>{kept.toLocaleString('en')}</b> pass, <b>{setAside.toLocaleString('en')}</b> are set
        aside, {noted.toLocaleString('en')} noted. Length in {lengths.unit}: {lengths.least.toLocaleString('en')} to{' '}
        {lengths.most.toLocaleString('en')}, median {lengths.median.toLocaleString('en')}.
      </p>
      <div className="scrolls">
        <table className="counts">
          <caption className="unseen">Rows by check</caption>
          <thead>
            <tr>
              <th scope="col">Check</th>
              <th scope="col">Rows</th>
              <th scope="col">Then</th>
            </tr>
          </thead>
          <tbody>
            {checks
              .filter(({ policy }) => policy !== 'off')
              .sort((a, b) => Number(b.rows > 0) - Number(a.rows > 0))
              .map((one) => (
                <tr key={one.check}>
                  <th scope="row">
                    {one.rows > 0 ? <a href={`#found-${one.check}`}>{one.check}</a> : one.check}
                    <span className="soft block">{one.means}</span>
                  </th>
                  <td>
                    {one.rows > 0 && (
                      <span className="bar" style={{ '--share': one.rows / most } as object} aria-hidden="true" />
                    )}
                    <span className="figure">{one.rows.toLocaleString('en')}</span>
                  </td>
                  <td className={one.rows > 0 ? undefined : 'soft'}>{POLICIES[one.policy]}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
      {off.length > 0 && <p className="soft">Not looked for: {off.join(', ')}.</p>}
    </>
  )
}

const AT_FIRST = 5

function Found({ check, means, rows, findings }: One) {
  const [isAll, setAll] = useState(false)
  const shown = isAll ? findings : findings.slice(0, AT_FIRST)
  return (
    <section aria-labelledby={`found-${check}`}>
      <h3 id={`found-${check}`}>
        {check}: {many(rows, 'row')} {shown.length < rows && <span className="soft">, the first {shown.length}</span>}
      </h3>
      <p className="soft">{means}</p>
      <ul className="rows">
        {shown.map((finding) => (
          <li key={`${finding.row} ${finding.detail}`}>
            <FindingOf {...finding} />
          </li>
        ))}
      </ul>
      {shown.length < findings.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show {findings.length}
        </button>
      )}
    </section>
  )
}

const AMONG = { heldOut: 'Held-out row', evaluation: 'Evaluation row' } as const

function FindingOf({ row, isSetAside, detail, content, clash }: Finding) {
  const title = (
    <p>
      <b>Row {row.toLocaleString('en')}</b>: {detail}
      {!isSetAside && <span className="tag">noted</span>}
    </p>
  )
  if (!clash)
    return (
      <>
        {title}
        <RowFields row={content} />
      </>
    )
  return (
    <>
      {title}
      <div className="two clash">
        <div>
          <p className="soft">Row {row.toLocaleString('en')}</p>
          <RowFields row={content} />
        </div>
        <div>
          <p className="soft">
            {clash.among ? AMONG[clash.among] : 'Row'} {clash.row.toLocaleString('en')}
          </p>
          <RowFields row={clash.content} />
        </div>
      </div>
    </>
  )
}

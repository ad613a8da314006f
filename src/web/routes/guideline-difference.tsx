// What differs between two versions of the guideline, word by word.
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { Changes } from '../write/changes.tsx'
import { versionPicker } from './version-picker.tsx'

type Version = AnswerOf<'GET /api/projects/{project}/guideline'>['versions'][number]

/** `versions`: newest first, two at least. `shown`: that the page shows; it is held against the one before it until others are chosen. */
export function GuidelineDifference({ versions, shown }: { versions: readonly Version[]; shown: Version }) {
  const [chosen, setChosen] = useState<{ old?: number; now?: number }>({})
  const place = versions.indexOf(shown)
  const of = (number: number | undefined): Version | undefined => versions.find((each) => each.number === number)
  const now = of(chosen.now) ?? (versions[place + 1] ? shown : versions[0]!)
  const old = of(chosen.old) ?? versions[place + 1] ?? versions.at(-1)!
  const picker = versionPicker(versions.map(({ number }) => number))
  return (
    <section aria-labelledby="difference">
      <h2 id="difference">What differs</h2>
      <div className="row">
        {picker('From', old.number, (number) => setChosen({ ...chosen, old: number }))}
        {picker('To', now.number, (number) => setChosen({ ...chosen, now: number }))}
      </div>
      {old.text === now.text ? (
        <p className="soft">{old === now ? 'It is one version: choose another.' : 'The two have the same text.'}</p>
      ) : (
        <Changes before={old.text} after={now.text} />
      )}
    </section>
  )
}

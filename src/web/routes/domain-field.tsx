// What a new project begins from: nothing, or a bundled domain, whose objective, guideline and prompts become its own.
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { Field } from '../parts.tsx'
import { many } from './words.ts'

type Domain = AnswerOf<'GET /api/state'>['domains'][number]

export function DomainField({ domains }: { domains: readonly Domain[] }) {
  const [name, setName] = useState('')
  return (
    <Field label="Begin from" hint={hintOf(domains.find((domain) => domain.name === name))}>
      {(attributes) => (
        <select {...attributes} name="domain" value={name} onChange={(event) => setName(event.target.value)}>
          <option value="">nothing: an empty project</option>
          {domains.map((domain) => (
            <option key={domain.name} value={domain.name}>
              {titleOf(domain.name)}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

function hintOf(domain: Domain | undefined): string {
  if (!domain) return 'You bring objective, guideline and prompts yourself.'
  const { summary, criteria, prompts } = domain
  const [word, given] = [criteria === 1 ? 'criterion' : 'criteria', prompts === 0 ? '' : `, ${many(prompts, 'prompt')}`]
  return `${summary} Brings an objective of ${criteria} ${word}, a guideline${given}.`
}

const titleOf = (name: string): string => `${name[0]!.toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`

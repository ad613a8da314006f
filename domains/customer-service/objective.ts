// The objective and the guideline of this domain, parsed when first imported.
import { readFileSync } from 'node:fs'
import { Objective } from '#schema'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')

export const objective: Objective = Objective.parse(JSON.parse(read('./objective.json')))

const text = read('./guideline.md')

/** Markdown, and the name that judgements carry. */
export const guideline = { name: `${objective.name}/guideline-${/^Version (\w+)/m.exec(text)![1]!}`, text }

// The API to read: every operation of /api/openapi.json, by what it is about, with what it takes and gives.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../api.ts'
import { Empty, Field, Loading, Problem } from '../parts.tsx'
import { many } from './words.ts'

type Schema = { [key: string]: unknown }
type Content = Record<string, { schema?: Schema }>
type Operation = {
  summary: string
  description: string
  parameters: { name: string; in: string; required: boolean; schema: Schema }[]
  requestBody?: { content: Content }
  responses: Record<string, { description: string; content?: Content }>
}
type Document = { info: { description: string }; paths: Record<string, Record<string, Operation>> }
type Entry = { method: string; path: string; about: string; operation: Operation }

const KEY = 'GET /api/openapi.json'

export function ReferenceScreen() {
  const document = useQuery({ queryKey: [KEY], queryFn: async () => (await call(KEY)) as unknown as Document })
  const [wanted, setWanted] = useState('')
  if (document.isPending) return <Loading />
  if (document.isError) return <Problem error={document.error} />
  const entries = entriesOf(document.data)
  const found = entries.filter(({ method, path, operation: { summary } }) =>
    `${method} ${path} ${summary}`.toLowerCase().includes(wanted.trim().toLowerCase()),
  )
  const groups = [...new Set(found.map(({ about }) => about))].sort()
  return (
    <main id="content" className="page reference">
      <h1>API</h1>
      <p className="lead">
        {document.data.info.description} As a document: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1).
      </p>
      <Field label="Find" hint={`${many(found.length, 'operation')} of ${entries.length}`}>
        {(attributes) => (
          <input {...attributes} type="search" value={wanted} onChange={(event) => setWanted(event.target.value)} />
        )}
      </Field>
      {found.length === 0 && <Empty title="No operation is called so" />}
      {groups.map((about) => (
        <section key={about} aria-label={about}>
          <h2>{about}</h2>
          {found
            .filter((entry) => entry.about === about)
            .map((entry) => (
              <OneOperation {...entry} key={`${entry.method} ${entry.path}`} />
            ))}
        </section>
      ))}
    </main>
  )
}

/** About what: the first fixed part of the path that names something, within a project or outside of one. */
function entriesOf({ paths }: Document): Entry[] {
  return Object.entries(paths).flatMap(([path, operations]) => {
    const parts = path
      .replace('/api/projects/{project}', '/project')
      .split('/')
      .filter((part) => part !== '' && part !== 'api')
    const about = parts[0] === 'project' ? (parts[1] ?? 'project') : parts[0]!
    return Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      about,
      operation,
    }))
  })
}

function OneOperation({ method, path, operation }: Entry) {
  const { summary, description, parameters, requestBody, responses } = operation
  return (
    <details className="operation">
      <summary>
        <span className="mono">
          <b>{method}</b> {path}
        </span>
        <span>{summary}</span>
      </summary>
      <p className="soft">{description}</p>
      {parameters.length > 0 && (
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Parameter</th>
                <th scope="col">In</th>
                <th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {parameters.map((parameter) => (
                <tr key={`${parameter.in} ${parameter.name}`}>
                  <th scope="row" className="mono">
                    {parameter.name}
                  </th>
                  <td>{parameter.in}</td>
                  <td>
                    <span className="mono">{typeOf(parameter.schema)}</span>
                    {parameter.required ? '' : ', may be left out'}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {requestBody && <Body title="Takes" content={requestBody.content} />}
      {Object.entries(responses)
        .filter(([status]) => status !== 'default')
        .map(([status, response]) =>
          response.content ? (
            <Body key={status} title={`Gives (${status})`} content={response.content} />
          ) : (
            <p key={status}>
              Gives {status}: {response.description}
            </p>
          ),
        )}
    </details>
  )
}

function Body({ title, content }: { title: string; content: Content }) {
  return Object.entries(content).map(([type, { schema }]) => (
    <figure key={type}>
      <figcaption>
        {title} <span className="mono">{type}</span>
      </figcaption>
      {schema && <pre className="scrolls">{typeOf(schema)}</pre>}
    </figure>
  ))
}

/** A JSON Schema in the shape of what it describes: `{ name: text, rows?: [number] }`. */
function typeOf(schema: Schema, indent = ''): string {
  const { type, enum: values, const: only, anyOf, oneOf, properties, required, items, additionalProperties } = schema
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ')
  const choices = (anyOf ?? oneOf) as Schema[] | undefined
  if (choices) return choices.map((choice) => typeOf(choice, indent)).join(' | ')
  if (properties !== undefined) {
    const needed = new Set((required as string[] | undefined) ?? [])
    const inner = `${indent}  `
    const fields = Object.entries(properties as Record<string, Schema>).map(
      ([name, field]) => `${inner}${name}${needed.has(name) ? '' : '?'}: ${typeOf(field, inner)}`,
    )
    return fields.length === 0 ? '{}' : `{\n${fields.join('\n')}\n${indent}}`
  }
  if (items !== undefined) return `[${typeOf(items as Schema, indent)}]`
  if (typeof additionalProperties === 'object') return `{ [name]: ${typeOf(additionalProperties as Schema, indent)} }`
  return `${typeof type === 'string' ? type : 'anything'}${boundsOf(schema)}`
}

function boundsOf({ minimum, maximum, minLength, maxLength, pattern }: Schema): string {
  const isWide = (bound: unknown): boolean => typeof bound !== 'number' || Math.abs(bound) >= Number.MAX_SAFE_INTEGER
  const bounds = [
    ...(isWide(minimum) ? [] : [`from ${String(minimum)}`]),
    ...(isWide(maximum) ? [] : [`to ${String(maximum)}`]),
    ...(isWide(minLength) ? [] : [`at least ${String(minLength)} long`]),
    ...(isWide(maxLength) ? [] : [`at most ${String(maxLength)} long`]),
    ...(typeof pattern === 'string' && pattern.length < 60 ? [pattern] : []),
  ]
  return bounds.length === 0 ? '' : ` (${bounds.join(', ')})`
}

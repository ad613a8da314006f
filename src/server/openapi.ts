// The API table as an OpenAPI 3.1 document, whose schemas are JSON Schema 2020-12 as zod writes it.
import { z } from 'zod'
import type { Endpoint } from './api/endpoint.ts'
import { PARAMETERS } from './api/endpoint.ts'
import { API } from './contract.ts'
import { routeOf } from './mount.ts'

type Json = Record<string, unknown>

export function openApiDocument(): Json {
  const paths: Record<string, Json> = {}
  for (const [key, endpoint] of Object.entries<Endpoint>(API)) {
    const path = key.split(' ')[1]!
    paths[path] = { ...paths[path], [routeOf(key).method.toLowerCase()]: operationOf(key, endpoint) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'hone',
      version: '1',
      description: 'Sessions by cookie from POST /api/session. Writes need an Origin header of this server and JSON.',
    },
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-hone' },
      },
      schemas: {
        Error: {
          type: 'object',
          properties: { error: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] } },
          required: ['error'],
        },
      },
    },
  }
}

function operationOf(key: string, { summary, access, query, body, answer }: Endpoint): Json {
  const path = key.split(' ')[1]!
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as keyof typeof PARAMETERS)
  const queried = query ? Object.entries(query.shape as Record<string, z.ZodType>) : []
  const isByKey = typeof access === 'object' && 'scope' in access
  const isOpen = access === 'anyone' || access === 'set-up'
  return {
    operationId: key.replaceAll(/[^a-zA-Z]+/g, '_').replace(/_$/, ''),
    summary,
    description: `For: ${typeof access === 'string' ? access : isByKey ? `keys with scope ${access.scope}` : access.join(', ')}`,
    ...(!isOpen && { security: [isByKey ? { key: [] } : { session: [] }] }),
    parameters: [
      ...names.map((name) => ({ name, in: 'path', required: true, schema: schemaOf(PARAMETERS[name], 'input') })),
      ...queried.map(([name, schema]) => ({
        name,
        in: 'query',
        required: !schema.safeParse(undefined).success,
        schema: schemaOf(schema, 'input'),
      })),
    ],
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(body, 'input') } }),
    responses: {
      ...(answer === 'nothing'
        ? { 204: { description: 'Done' } }
        : typeof answer === 'object' && 'events' in answer
          ? {
              200: {
                description: 'Events as they happen',
                content: { 'text/event-stream': { schema: schemaOf(answer.events, 'output') } },
              },
            }
          : { 200: { description: 'Done', content: contentOf(answer, 'output') } }),
      default: {
        description: 'What was expected, what came',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function contentOf(schema: z.ZodType | 'file' | 'response', io: 'input' | 'output'): Json {
  return schema === 'file' || schema === 'response'
    ? { 'application/octet-stream': {} }
    : { 'application/json': { schema: schemaOf(schema, io) } }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
  return rest
}

// What came from what: from a release down to one judgement and its guideline and objective, and back.
import { z } from 'zod'
import { type Endpoint, OBSERVERS } from './endpoint.ts'

const Kind = z.enum([
  'objective',
  'criterion',
  'guideline',
  'sentence',
  'judgement',
  'preference',
  'comparison',
  'demonstration',
  'row',
  'dataset',
  'file',
  'model',
  'run',
  'checkpoint',
  'evaluation',
  'release',
])
const Node = z.object({ id: z.string(), kind: Kind, label: z.string(), detail: z.string().optional() })

export const LINEAGE = {
  'GET /api/projects/{project}/lineage': {
    summary: 'Where to begin: releases, evaluations, models, runs and datasets that are known',
    access: OBSERVERS,
    answer: z.object({ nodes: z.array(Node) }),
  },
  'GET /api/projects/{project}/lineage/walk': {
    summary: 'Everything that something came from, and everything that was made of it',
    access: OBSERVERS,
    query: z.object({ id: z.string().min(1).max(300) }),
    answer: z.object({
      target: Node,
      /** `way`: above the target, below it, itself, or a run that supersedes one of these or is superseded by it. */
      nodes: z.array(Node.extend({ way: z.enum(['up', 'down', 'target', 'beside']) })),
      edges: z.array(z.object({ from: z.string(), to: z.string(), roles: z.array(z.string()) })),
      /** Of a dataset: its first rows, each to be walked from. */
      rows: z.array(Node),
      rowsInAll: z.number(),
    }),
  },
} satisfies Record<string, Endpoint>

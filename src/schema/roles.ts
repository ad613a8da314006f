// Who may be what in a project.
import { z } from 'zod'

export const Role = z.enum(['owner', 'lead', 'engineer', 'reviewer', 'annotator', 'viewer'])
export type Role = z.infer<typeof Role>

// The objective and its versions. The file of the workspace is what everything reads, the command line too; a save makes a
// version and writes the file, and never writes over what its author has not seen.
import { join } from 'node:path'
import { HttpError } from '#errors'
import { hashRow, writeDurable } from '#files'
import { keepObjective } from '#lineage'
import { Objective } from '#schema'
import {
  addObjective,
  audit,
  dropUnsaved,
  findObjective,
  holdObjective,
  listObjectives,
  type ObjectiveVersion,
} from '#store'
import type { Handlers } from '../call.ts'
import { madeUnder } from '../made-under.ts'
import { readObjective } from '../objective.ts'
import { WrongFields } from '../refusals.ts'

type Objectives = Pick<
  Handlers,
  | 'GET /api/projects/{project}/objective'
  | 'GET /api/projects/{project}/objective/versions/{number}'
  | 'GET /api/projects/{project}/objective/made'
  | 'PUT /api/projects/{project}/objective'
>

export const objectiveHandlers: Objectives = {
  'GET /api/projects/{project}/objective': async ({ service, project, role }) => {
    const { objective, problem } = readObjective(service.workspace, project)
    const versions = await listObjectives(service.store.query, project.id)
    const hash = objective ? hashRow(objective) : null
    return {
      criteria: objective?.criteria ?? [],
      objective: objective ?? null,
      hash,
      version: versions[0]?.sha256 === hash ? versions[0]!.number : null,
      problem: problem ?? null,
      versions: versions.map((version) => shown(version, role)),
    }
  },

  'GET /api/projects/{project}/objective/versions/{number}': async ({ service, project, role, params: { number } }) => {
    const version = await findObjective(service.store.query, project.id, Number(number))
    if (!version) throw new HttpError(404, `there is no version ${number} of the objective`)
    return { ...shown(version, role), objective: Objective.parse(version.content) }
  },

  'GET /api/projects/{project}/objective/made': async ({ service, project }) => ({
    objectives: await madeUnder(service, project),
  }),

  'PUT /api/projects/{project}/objective': async ({ service: { store, workspace }, project, user, body }) => {
    const { objective, note, from } = body
    refuseMixedUp(objective)
    return store.transaction(async (query) => {
      await holdObjective(query, project.objectiveFile)
      const { objective: there, problem } = readObjective(workspace, project)
      if (problem !== undefined)
        throw new HttpError(409, `${problem}. Mend the file in the workspace, or move it away, and save again`)
      const before = there ? hashRow(there) : null
      if (before !== from)
        throw new HttpError(
          409,
          'the objective was changed while you wrote: nothing was saved. Look at it as it is now, and bring your changes into it',
        )
      await dropUnsaved(query, { project: project.id, user: user.id, editor: 'objective' })
      const [newest] = await listObjectives(query, project.id)
      const hash = hashRow(objective)
      if (before === hash && newest?.sha256 === hash) return { number: newest.number, isNew: false }
      if (there && before !== newest?.sha256 && before !== hash)
        await addObjective(query, project.id, {
          content: there,
          sha256: before!,
          note: newest ? 'the file, as it was changed outside of the server' : 'the file, as it was in the workspace',
          by: null,
        })
      // Records name it by its id, also when the database is not at hand.
      keepObjective(workspace, objective)
      const number = await addObjective(query, project.id, { content: objective, sha256: hash, note, by: user.id })
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'objective.save',
        subject: project.slug,
        detail: { version: number, hash, criteria: objective.criteria.length },
      })
      // Before the commit: after a crash between them the file is ahead and shows as changed; nothing told as saved is lost.
      writeDurable(join(workspace, project.objectiveFile), `${JSON.stringify(objective, null, 2)}\n`)
      return { number, isNew: true }
    })
  },
}

/** Annotators are told no names. */
function shown({ number, madeAt, by, note, sha256 }: ObjectiveVersion, role: string) {
  return { number, madeAt, note, hash: sha256, by: role === 'annotator' ? undefined : by }
}

/** What the schema has no words for: criteria are found by their names, and a scale goes upwards. */
function refuseMixedUp({ criteria }: Objective): void {
  const names = new Set<string>()
  for (const [i, { name, scale }] of criteria.entries()) {
    if (names.has(name))
      throw new WrongFields({ [`objective.criteria.${i}.name`]: `expected each name once, got ${name} again` })
    names.add(name)
    if (scale.low >= scale.high)
      throw new WrongFields({
        [`objective.criteria.${i}.scale.high`]: `expected more than the low end, ${scale.low}, got ${scale.high}`,
      })
  }
}

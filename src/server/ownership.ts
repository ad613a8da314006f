// Whose the files of a workspace are. A run that was ordered here belongs to the project that ordered it; anything else to the
// project whose prefix its name bears, and without one to the first project, which keeps plain names. The base and models/ are
// what projects start from, and everybody's.
import { listJobs, type Project, type Store } from '#store'

/** Whether the project has a thing by its path within the workspace: `runs/NAME/...`, `evaluations/NAME.json`, `base`. */
export type Owns = (path: string) => boolean

const ROOMS = ['runs', 'datasets', 'evaluations', 'models']

export async function ownershipOf(store: Store, { id, filePrefix }: Project): Promise<Owns> {
  const orderedBy = new Map((await listJobs(store.query)).map(({ run, project }) => [run, project]))
  const rows = await store.query<{ prefix: string }>(
    "select file_prefix as prefix from projects where file_prefix <> ''",
  )
  return (path) => {
    const [room, inRoom] = path.split('/') as [string, string | undefined]
    const isInRoom = inRoom !== undefined && ROOMS.includes(room)
    if (path === 'base' || (isInRoom && room === 'models')) return true
    const owner = isInRoom && room === 'runs' ? orderedBy.get(inRoom) : undefined
    if (owner !== undefined) return owner === id
    const name = isInRoom ? inRoom : room
    return (rows.find(({ prefix }) => name.startsWith(prefix))?.prefix ?? '') === filePrefix
  }
}

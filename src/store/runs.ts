// Runs are folders and the truth about themselves; this reads what their run.json says and whether somebody works on them.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { isAlive } from '#files'

const Record = z.object({
  recipe: z.string(),
  status: z.enum(['running', 'stopped', 'done']),
  simulated: z.boolean().default(false),
})

export type RunFolder = {
  id: string
  recipe: string
  /** `broken-off`: run.json says running, but no process holds the folder. */
  status: 'running' | 'stopped' | 'done' | 'broken-off'
  isSimulated: boolean
}

/** Runs under `runs/` of a workspace, by name. A folder that is no run, or is damaged, is passed over. */
export function listRunFolders(workspace: string): RunFolder[] {
  const root = join(workspace, 'runs')
  if (!fs.existsSync(root)) return []
  return fs
    .readdirSync(root)
    .sort()
    .flatMap((id) => {
      const record = read(join(root, id, 'run.json'))
      if (!record) return []
      const { recipe, status, simulated } = record
      const isBroken = status === 'running' && !isHeld(join(root, id))
      return [{ id, recipe, status: isBroken ? ('broken-off' as const) : status, isSimulated: simulated }]
    })
}

function read(file: string): z.infer<typeof Record> | undefined {
  try {
    return Record.safeParse(JSON.parse(fs.readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}

function isHeld(folder: string): boolean {
  return fs
    .readdirSync(folder)
    .filter((name) => /^\.hold-\d+$/.test(name))
    .some((name) => {
      try {
        const { pid } = JSON.parse(fs.readFileSync(join(folder, name), 'utf8')) as { pid?: unknown }
        return typeof pid === 'number' && isAlive(pid)
      } catch {
        return false
      }
    })
}

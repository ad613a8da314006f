// Language models that lie in a workspace: what runs left, their checkpoints, and folders under models/. Read from names
// and config.json alone; a damaged folder is found when it is loaded.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { listRunFolders } from './runs.ts'

export type ModelFolder = {
  /** `RUN`, `RUN@STEP`, `models/NAME`, `release NAME`, or `base`, the bundled one. */
  name: string
  /** Absolute; `base` for the bundled one. */
  folder: string
  kind: 'run' | 'checkpoint' | 'folder' | 'release' | 'base'
  recipe: string | null
  isSimulated: boolean
}

/** Which of a checkpoint's models answers: the policy, or the only one. */
const ANSWERING = ['policy', 'model']

/** Newest runs last, their checkpoints after them. Reward models are none: they score. */
export function listModelFolders(workspace: string): ModelFolder[] {
  const runs = listRunFolders(workspace).flatMap(({ id, recipe, isSimulated }): ModelFolder[] => {
    if (recipe === 'reward') return []
    const folder = join(workspace, 'runs', id)
    const own = { recipe, isSimulated }
    const left = { name: id, folder: join(folder, 'model'), kind: 'run' as const, ...own }
    const steps = subfolders(join(folder, 'checkpoints')).filter((step) => /^\d+$/.test(step))
    const checkpoints = steps.flatMap((step): ModelFolder[] => {
      const models = ANSWERING.map((name) => join(folder, 'checkpoints', step, name))
      const model = models.find(isLanguageModel)
      const isWhole = fs.existsSync(join(folder, 'checkpoints', step, 'manifest.json'))
      return model && isWhole ? [{ name: `${id}@${Number(step)}`, folder: model, kind: 'checkpoint', ...own }] : []
    })
    return [...(isLanguageModel(left.folder) ? [left] : []), ...checkpoints]
  })
  const folders = subfolders(join(workspace, 'models')).flatMap((name): ModelFolder[] => {
    const folder = join(workspace, 'models', name)
    if (!isLanguageModel(folder)) return []
    return [{ name: `models/${name}`, folder, kind: 'folder', recipe: null, isSimulated: isSimulated(folder) }]
  })
  return [...runs, ...folders, { name: 'base', folder: 'base', kind: 'base', recipe: null, isSimulated: false }]
}

function subfolders(folder: string): string[] {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : [])).sort()
  } catch {
    return []
  }
}

function isSimulated(folder: string): boolean {
  return readCard(folder)?.simulated === true
}

/** What a run measured of its reward model on held-out pairs; undefined where it had none. */
export function rewardAccuracyOf(workspace: string, run: string): z.infer<typeof Accuracy> | undefined {
  return readCard(join(workspace, 'runs', run, 'model'))?.reward?.accuracy
}

const Accuracy = z.object({ value: z.number(), low: z.number(), high: z.number() })
const Card = z.object({
  simulated: z.boolean().optional(),
  reward: z.object({ accuracy: Accuracy.optional() }).optional(),
})

/** The card that training leaves beside the weights. */
function readCard(folder: string): z.infer<typeof Card> | undefined {
  try {
    return Card.safeParse(JSON.parse(fs.readFileSync(join(folder, 'hone-training.json'), 'utf8'))).data
  } catch {
    return undefined
  }
}

function isLanguageModel(folder: string): boolean {
  if (fs.existsSync(join(folder, 'adapter_config.json'))) return true
  try {
    const { architectures } = JSON.parse(fs.readFileSync(join(folder, 'config.json'), 'utf8')) as {
      architectures?: unknown
    }
    return Array.isArray(architectures) && !String(architectures[0]).endsWith('ForSequenceClassification')
  } catch {
    return false
  }
}

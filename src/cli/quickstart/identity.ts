// What a quickstart's folder is of: one seed and one scale, in quickstart.json. The same command goes on with it, another
// seed or scale is refused, and second processes read nothing else.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, DataError } from '#errors'
import { writeDurable } from '#files'

const Identity = z.object({ seed: z.number().int().nonnegative(), scale: z.number().gt(0).max(1).default(1) })
export type Identity = z.infer<typeof Identity>

/** `--seed` and `--scale` as typed. */
export function parseIdentity({ seed, scale }: { seed: string; scale: string }): Identity {
  const numbers = { seed: Number(seed), scale: Number(scale) }
  if (!Number.isInteger(numbers.seed) || numbers.seed < 0)
    throw new ConfigError(`--seed: expected a whole number of at least 0, got ${seed}`)
  if (!(numbers.scale > 0 && numbers.scale <= 1))
    throw new ConfigError(`--scale: expected a fraction above 0 and at most 1, got ${scale}`)
  return numbers
}

export function readIdentity(dir: string): Identity {
  const file = join(dir, 'quickstart.json')
  if (!fs.existsSync(file)) throw new ConfigError(`expected the folder of a quickstart, got ${dir}`)
  try {
    return Identity.parse(JSON.parse(fs.readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new DataError('expected the seed and scale that hone wrote: the file is damaged', { file }, { cause })
  }
}

/** Makes the folder this quickstart's, or finds that it is. */
export function claimFolder(dir: string, identity: Identity): void {
  if (fs.existsSync(join(dir, 'quickstart.json'))) {
    const other = readIdentity(dir)
    for (const name of ['seed', 'scale'] as const)
      if (other[name] !== identity[name])
        throw new ConfigError(
          `--dir: ${dir} holds a quickstart of ${name} ${other[name]}; expected ${name} ${other[name]} to go on with it, or another folder, got ${name} ${identity[name]}`,
        )
    return
  }
  if (fs.existsSync(dir) && fs.readdirSync(dir).length > 0)
    throw new ConfigError(`--dir: expected an empty or new folder, got ${dir}, which holds other files`)
  fs.mkdirSync(dir, { recursive: true })
  writeDurable(join(dir, 'quickstart.json'), JSON.stringify(identity))
}
